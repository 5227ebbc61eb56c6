package real

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// newNATS is a server that wants a login, and cuts who has none after 2 s.
func newNATS(t *testing.T, name string) *backend {
	s := kit.Must(server.NewServer(&server.Options{DontListen: true, NoSigs: true, ServerName: name, Username: "u", Password: "p"}))(t)
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("not ready")
	}
	return newBackend(t, s.InProcessConn)
}

type natsDialer struct{ *pool.Pool }

func (d natsDialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// A NATS client has one connection. It asks for another when its own was
// replaced; until then it stays where it is.
func TestNATSFollowsTheBalance(t *testing.T) {
	f := newFleet(t, 12, map[string]*backend{"a": newNATS(t, "a"), "b": newNATS(t, "b")}, pool.WithMax(1), pool.WithIdle(0, 1))
	var clients []*nats.Conn
	for _, p := range f.pools {
		watched := &dialed{natsDialer: natsDialer{p}, done: t.Context().Done()}
		c := kit.Must(nats.Connect("nats://pool:4222", nats.UserInfo("u", "p"), nats.MaxReconnects(-1),
			nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0), nats.SetCustomDialer(watched)))(t)
		watched.client.Store(c)
		t.Cleanup(c.Close)
		clients = append(clients, c)
	}
	on := func() map[string]int {
		all := map[string]int{}
		for _, c := range clients {
			if c.IsConnected() {
				all[c.ConnectedServerName()]++
			}
		}
		return all
	}
	even := func(what string, want map[string]int) {
		t.Helper()
		begun := time.Now()
		kit.Within(t, fmt.Sprint(what, want), 10*time.Second, func() bool { return fmt.Sprint(on()) == fmt.Sprint(want) })
		t.Logf("%s: %v after %v", what, on(), time.Since(begun).Round(time.Millisecond))
	}
	even("at first", map[string]int{"a": 6, "b": 6})
	f.join("c", newNATS(t, "c"))
	even("with a third", map[string]int{"a": 4, "b": 4, "c": 4})
	f.leave("b")
	even("without b", map[string]int{"a": 6, "c": 6})
	for i, c := range clients {
		sub := kit.Must(c.SubscribeSync("x"))(t)
		kit.Check(t, c.Publish("x", fmt.Append(nil, i)))
		if m, err := sub.NextMsg(5 * time.Second); err != nil || string(m.Data) == "" {
			t.Fatal(m, err)
		}
	}
}

// dialed has a client move when what it dialed was replaced. What is published
// meanwhile the client sends afterwards.
type dialed struct {
	natsDialer
	client atomic.Pointer[nats.Conn]
	done   <-chan struct{}
}

func (d *dialed) Dial(network, address string) (net.Conn, error) {
	conn, err := d.natsDialer.Dial(network, address)
	if c, ok := conn.(*pool.Conn); ok {
		moving := &leaving{c, make(chan struct{})}
		go func() {
			select {
			case <-c.Replaced():
			case <-moving.closed:
				return
			case <-d.done:
				return
			}
			again := time.NewTicker(50 * time.Millisecond)
			defer again.Stop()
			for d.client.Load() == nil || d.client.Load().ForceReconnect() == nil { // one that is about to connect does not hear it
				select {
				case <-moving.closed:
					return
				case <-d.done:
					return
				case <-again.C:
				}
			}
		}()
		return moving, nil
	}
	return conn, err
}

// leaving says when the client has closed it.
type leaving struct {
	*pool.Conn
	closed chan struct{}
}

func (l *leaving) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return l.Conn.Close()
}

// Raw connections that nobody logs in to are cut by the server; few are kept, and
// none is lost where the client is at rest.
func TestNATSAtRest(t *testing.T) {
	f := newFleet(t, 1, map[string]*backend{"a": newNATS(t, "a")}, pool.WithMax(40), pool.WithIdle(0, 1))
	c := kit.Must(nats.Connect("nats://pool:4222", nats.UserInfo("u", "p"), nats.SetCustomDialer(natsDialer{f.pools[0]})))(t)
	defer c.Close()
	before := f.pools[0].Stats().Lost
	time.Sleep(5 * time.Second) // twice the server's patience
	if lost := f.pools[0].Stats().Lost - before; lost > 3 {
		t.Errorf("%d connections were cut in 5 s", lost)
	}
}
