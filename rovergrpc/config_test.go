package rovergrpc_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	channelzpb "google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
)

// pair is a client over one connection to each of two nodes, both of which
// have answered.
func pair(t *testing.T, options ...rovergrpc.Option) (p *pool.Pool, all []*node, c client) {
	t.Helper()
	all, _ = nodes(t, 2)
	p = bare(t, 2)
	c = dial(t, p, options...)
	offer(t, p, all[0], 0)
	offer(t, p, all[1], 0)
	kit.Within(t, "both answer", 20*time.Second, func() bool {
		kit.Must(c.who(soon(t)))(t)
		return all[0].calls.Load() > 0 && all[1].calls.Load() > 0
	})
	return p, all, c
}

// Calls are sent again as the service config says, to the next connection.
// What it says of load balancing does not count.
func TestRetries(t *testing.T) {
	_, all, c := pair(t, rovergrpc.WithServiceConfig(`{"loadBalancingPolicy": "pick_first", "methodConfig": [{"name": [{}], "retryPolicy": {
		"maxAttempts": 3, "initialBackoff": "0.001s", "maxBackoff": "0.01s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`))
	all[0].refuse.Store(true)
	before := all[0].calls.Load()
	for range 20 {
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), "1")
	}
	if all[0].calls.Load() == before {
		t.Error("no call was refused")
	}
}

// A server that says it is not well gets no calls; its connection stays.
func TestHealth(t *testing.T) {
	p, all, c := pair(t, rovergrpc.WithTimeout(200*time.Millisecond), rovergrpc.WithServiceConfig(`{"healthCheckConfig": {"serviceName": "lab.Node"}}`))
	all[0].health.SetServingStatus("lab.Node", healthpb.HealthCheckResponse_NOT_SERVING)
	c.answers(t, all[1])
	kit.Equal(t, "connections kept", p.Stats().Kept, 2)
	kit.Equal(t, "connections closed", p.Stats().Closed+p.Stats().Lost, 0)
	all[1].health.SetServingStatus("lab.Node", healthpb.HealthCheckResponse_NOT_SERVING)
	kit.Within(t, "calls fail and say why", 20*time.Second, func() bool {
		_, err := c.who(soon(t))
		return status.Code(err) == codes.Unavailable && strings.Contains(err.Error(), "NOT_SERVING")
	})
	kit.Equal(t, "connections kept", p.Stats().Kept, 2)
	all[0].health.SetServingStatus("lab.Node", healthpb.HealthCheckResponse_SERVING)
	before := all[0].calls.Load()
	kit.Within(t, "it gets calls again", 20*time.Second, func() bool {
		kit.Must(c.who(soon(t), grpc.WaitForReady(true)))(t)
		return all[0].calls.Load() > before
	})
}

// In channelz a connection has the address, slot and id of its server.
func TestChannelz(t *testing.T) {
	pair(t)
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	s := grpc.NewServer()
	service.RegisterChannelzServiceToServer(s)
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() { s.Stop(); serving.Wait() })
	cc := kit.Must(grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())))(t)
	defer cc.Close()
	z := channelzpb.NewChannelzClient(cc)
	var names []string
	for _, channel := range kit.Must(z.GetTopChannels(soon(t), &channelzpb.GetTopChannelsRequest{}))(t).Channel {
		if channel.Data.Target != rovergrpc.Target {
			continue
		}
		for _, ref := range channel.SubchannelRef {
			sub := kit.Must(z.GetSubchannel(soon(t), &channelzpb.GetSubchannelRequest{SubchannelId: ref.SubchannelId}))(t)
			names = append(names, sub.Subchannel.Data.Target)
		}
	}
	all := strings.Join(names, ", ")
	if len(names) != 2 || !strings.Contains(all, "slot 0 of 0") || !strings.Contains(all, "127.0.0.1:") {
		t.Errorf("got %q", names)
	}
}

// A server that gives its slot and says no more costs no call, and is failed
// for it.
func TestServerThatHangs(t *testing.T) {
	silent, conns := kit.ServeLine(t, "0\r\n", nil)
	all, _ := nodes(t, 1)
	p := bare(t, 2)
	c := dial(t, p, rovergrpc.WithTimeout(200*time.Millisecond))
	offer(t, p, all[0], 0)
	conn := kit.Must(net.Dial("tcp", silent.Addr()))(t)
	kit.Must(io.ReadFull(conn, make([]byte, 3)))(t)
	p.Offer(rover.NewConnection("silent", silent, 0, conn))
	kit.Within(t, "the silent one is failed", 20*time.Second, func() bool {
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), "0")
		return p.Stats().Causes[pool.Failed] == 1
	})
	accepted := <-conns
	defer accepted.Close()
	if _, err := io.Copy(io.Discard, accepted); err != nil {
		t.Log("its connection was reset:", err)
	}
	kit.Equal(t, "connections kept", p.Stats().Kept, 1)
}

// A server that gives its slot and hangs up is no different, and so is one that
// does so once HTTP/2 is up.
func TestServerThatHangsUp(t *testing.T) {
	for _, preface := range []string{"", "\x00\x00\x00\x04\x00\x00\x00\x00\x00"} { // an empty SETTINGS frame
		all, _ := nodes(t, 1)
		p := bare(t, 2)
		c := dial(t, p)
		offer(t, p, all[0], 0)
		short, conns := kit.ServeLine(t, "0\r\n"+preface, nil)
		conn := kit.Must(net.Dial("tcp", short.Addr()))(t)
		kit.Must(io.ReadFull(conn, make([]byte, 3)))(t)
		p.Offer(rover.NewConnection("short", short, 0, conn))
		(<-conns).Close()
		kit.Within(t, "its connection is gone", 20*time.Second, func() bool {
			if _, err := c.who(soon(t)); err != nil && preface == "" { // the other is ready for a moment, and its end costs who calls then
				t.Error(err)
			}
			return p.Stats().Kept == 1
		})
		kit.Within(t, "nothing is left of it", 20*time.Second, func() bool { return p.Stats().Leaving == 0 })
	}
}

// freezer is a dialer whose connections can be made to pass nothing any more.
type freezer struct {
	frozen atomic.Bool
	net.Dialer
}

type freezing struct {
	net.Conn
	f      *freezer
	closed chan struct{}
	once   sync.Once
}

func (f *freezer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := f.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &freezing{Conn: conn, f: f, closed: make(chan struct{})}, nil
}

func (c *freezing) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.f.frozen.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *freezing) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// Keepalive finds a connection on which nothing comes any more. gRPC asks after
// 10 s at the soonest.
func TestKeepalive(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 11 s")
	}
	t.Parallel()
	patient := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true})
	n := serve(t, "n", "127.0.0.1:0", patient)
	network := &freezer{}
	p := kit.Must(pool.Open(context.Background(), pool.WithMax(1),
		pool.WithRover(rover.WithServers(map[string]rover.Server{"n": n.at}), rover.WithDialer(network), rover.WithLogger(kit.Quiet()))))(t)
	defer p.Close()
	c := dialWith(t, rovergrpc.Over(p), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 500 * time.Millisecond, PermitWithoutStream: true}))
	kit.Must(c.who(soon(t)))(t)
	network.frozen.Store(true)
	begun := time.Now()
	lost, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := c.who(lost)
	if err == nil || lost.Err() != nil {
		t.Fatalf("a call on a frozen connection: %v", err)
	}
	t.Logf("found after %v: %v", time.Since(begun), err)
	network.frozen.Store(false)
	kit.Must(c.who(soon(t), grpc.WaitForReady(true)))(t)
}
