package real_test

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	nserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// A natsClient moves its one connection when the pool has a better one.
type natsClient struct {
	conns *pool.Pool
	self  atomic.Pointer[nats.Conn]
}

// Dial is nats.CustomDialer.
func (n *natsClient) Dial(string, string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := n.conns.Get(ctx)
	if err != nil {
		return nil, err
	}
	moving := &natsConn{c, make(chan struct{})}
	go func() {
		select {
		case <-c.Replaced():
		case <-moving.closed:
			return
		}
		for { // a client that is about to connect does not hear it
			if self := n.self.Load(); self != nil {
				_ = self.ForceReconnect()
			}
			select {
			case <-moving.closed:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return moving, nil
}

type natsConn struct {
	*pool.Conn
	closed chan struct{}
}

func (c *natsConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return c.Conn.Close()
}

// NATS with users cuts connections that do not log in, so the pool keeps few raw
// ones.
func TestNATS(t *testing.T) {
	var servers [3]*front
	for i := range servers {
		ns := kit.Must(nserver.NewServer(&nserver.Options{DontListen: true, NoSigs: true, NoLog: true, ServerName: strconv.Itoa(i), Username: "u", Password: "p"}))(t)
		ns.Start()
		t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
		if !ns.ReadyForConnections(10 * time.Second) {
			t.Fatal("the server is not ready")
		}
		own := kit.Must(nats.Connect("", nats.InProcessServer(ns), nats.UserInfo("u", "p")))(t)
		t.Cleanup(own.Close)
		kit.Must(own.Subscribe("who", func(m *nats.Msg) { _ = m.Respond([]byte(strconv.Itoa(i))) }))(t)
		kit.Check(t, own.Flush())
		servers[i] = serveFor(t, ns.InProcessConn)
	}
	s := open(t, servers, pool.WithIdle(0, 2))
	clients := make([]*nats.Conn, 6)
	for i := range clients {
		n := &natsClient{conns: s.Pool}
		clients[i] = kit.Must(nats.Connect("nats://pool", nats.SetCustomDialer(n), nats.UserInfo("u", "p"), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond)))(t)
		n.self.Store(clients[i])
		defer clients[i].Close()
	}
	var turn atomic.Int64
	s.ask = func(ctx context.Context) (int, error) {
		client := clients[int(turn.Add(1))%len(clients)]
		var err error
		for range 10 { // an answer may be lost when a connection is
			m, lost := client.Request("who", nil, time.Second)
			if lost == nil {
				return strconv.Atoi(string(m.Data))
			}
			err = lost
		}
		return 0, err
	}
	s.live(t, 6, 0)
}
