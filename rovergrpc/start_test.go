package rovergrpc_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
)

var shortLived = grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 100 * time.Millisecond, MaxConnectionAgeGrace: time.Second})

// Calls wait for the first connection, if there is one in time.
func TestEmptyAtTheStart(t *testing.T) {
	all, _ := nodes(t, 1)
	p := bare(t, 1)
	c := dial(t, p)
	answer := make(chan string)
	go func() {
		id, err := c.who(soon(t))
		if err != nil {
			t.Error(err)
		}
		answer <- id
	}()
	kit.Within(t, "the call waits", 20*time.Second, func() bool { return p.Stats().Waiting == 1 && c.GetState() == connectivity.Connecting })
	offer(t, p, all[0], 0)
	kit.Equal(t, "who answers", <-answer, "0")
}

// Without a connection in time, calls fail and say why, but for those that wait
// for ready.
func TestNoConnectionInTime(t *testing.T) {
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	gone := l.Addr().(*net.TCPAddr)
	l.Close()
	p := open(t, map[string]rover.Server{"gone": {Host: "127.0.0.1", Port: gone.Port}}, 2)
	c := dial(t, p, rovergrpc.WithTimeout(200*time.Millisecond))
	_, err := c.who(soon(t))
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "0 held") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	kit.Within(t, "the state says so", 20*time.Second, func() bool { return c.GetState() == connectivity.TransientFailure })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.who(ctx, grpc.WaitForReady(true)); status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a call that waits for ready: %v", err)
	}
	back := serve(t, "back", gone.String())
	kit.Equal(t, "who answers", kit.Must(c.who(soon(t), grpc.WaitForReady(true)))(t), back.id)
	kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), back.id)
}

// A pool that is closed is a reason too.
func TestClosedPool(t *testing.T) {
	p := bare(t, 1)
	p.Close()
	c := dial(t, p)
	if _, err := c.who(soon(t)); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), pool.ErrClosed.Error()) {
		t.Errorf("got %v", err)
	}
}

// Two clients in one process know nothing of each other, nor two that share an
// option.
func TestClientsShareNothing(t *testing.T) {
	all, _ := nodes(t, 2)
	a, b := bare(t, 2), bare(t, 1)
	over := rovergrpc.Over(a, rovergrpc.WithConns(1))
	secure := grpc.WithTransportCredentials(insecure.NewCredentials())
	clients := []client{dialWith(t, over, secure), dialWith(t, over, secure), dial(t, b)}
	offer(t, a, all[0], 0)
	offer(t, a, all[0], 1)
	offer(t, b, all[1], 0)
	for range 20 {
		for i, want := range []string{"0", "0", "1"} {
			kit.Equal(t, "who answers", kit.Must(clients[i].who(soon(t)))(t), want)
		}
	}
	kit.Equal(t, "lent by a", a.Stats().Lent, 2)
	kit.Check(t, clients[0].Close())
	kit.Within(t, "its connection is gone", 20*time.Second, func() bool { return a.Stats().Kept == 1 })
	kit.Equal(t, "who answers", kit.Must(clients[1].who(soon(t)))(t), "0")
}

// A client takes as many connections as it was given.
func TestConns(t *testing.T) {
	_, set := nodes(t, 2)
	p := open(t, set, 6)
	few := dial(t, p, rovergrpc.WithConns(2))
	kit.Must(few.who(soon(t)))(t)
	kit.Within(t, "the pool is full", 20*time.Second, func() bool { return p.Stats().Kept == 6 })
	kit.Equal(t, "lent", p.Stats().Lent, 2)
	all := open(t, set, 6)
	kit.Must(dial(t, all).who(soon(t)))(t)
	kit.Within(t, "all are lent", 20*time.Second, func() bool { return all.Stats().Lent == 6 })
}

// A client that goes idle gives its connections up, and has new ones with its
// next call.
func TestIdle(t *testing.T) {
	all, set := nodes(t, 1)
	p := open(t, set, 2)
	c := dialWith(t, rovergrpc.Over(p), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithIdleTimeout(100*time.Millisecond))
	for range 3 {
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), all[0].id)
		kit.Within(t, "the client is idle", 20*time.Second, func() bool { return c.GetState() == connectivity.Idle && p.Stats().Lent == 0 })
	}
	c.Connect()
	kit.Within(t, "the client is ready", 20*time.Second, func() bool { return c.GetState() == connectivity.Ready })
}

// A client may close with calls that wait, and with connections that come.
func TestCloseWhileWaiting(t *testing.T) {
	p := bare(t, 3)
	c := dial(t, p)
	failed := make(chan error)
	go func() { _, err := c.who(soon(t)); failed <- err }()
	kit.Within(t, "lanes wait", 20*time.Second, func() bool { return p.Stats().Waiting == 3 })
	kit.Check(t, c.Close())
	if err := <-failed; status.Code(err) != codes.Canceled {
		t.Errorf("the call that waited: %v", err)
	}
	kit.Equal(t, "waiting", p.Stats().Waiting, 0)
}

// What is wrong is an error of grpc.NewClient, where that can be.
func TestWrongOptions(t *testing.T) {
	p := bare(t, 1)
	for _, wrong := range []struct {
		over grpc.DialOption
		want string
	}{
		{rovergrpc.Over(nil), "rovergrpc: pool must not be nil"},
		{rovergrpc.Over(p, nil), "rovergrpc: option 1 of 1 is nil"},
		{rovergrpc.Over(p, rovergrpc.WithConns(0)), "rovergrpc: conns must be at least 1, got 0"},
		{rovergrpc.Over(p, rovergrpc.WithTimeout(0)), "rovergrpc: timeout must be more than 0, got 0s"},
		{rovergrpc.Over(p, rovergrpc.WithStreamAge(-1)), "rovergrpc: stream age must be more than 0, got -1ns"},
		{rovergrpc.Over(p, rovergrpc.WithServiceConfig(`"`)), "rovergrpc: service config must be a JSON object"},
	} {
		c, err := grpc.NewClient(rovergrpc.Target, wrong.over, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err == nil {
			c.Close()
			t.Errorf("no error, want %q", wrong.want)
		} else if !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("got %v, want %q", err, wrong.want)
		}
	}
}

// The rest of what is wrong is the error of each call.
func TestWrongWays(t *testing.T) {
	p := bare(t, 1)
	elsewhere := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		if ctx.Err() == nil {
			t.Error("another dialer was asked to dial")
		}
		return nil, net.ErrClosed
	})
	for _, wrong := range []struct {
		target  string
		options []grpc.DialOption
		want    string
	}{
		{rovergrpc.Target, nil, "needs rovergrpc.Over"},
		{rovergrpc.Target, []grpc.DialOption{rovergrpc.Over(p), elsewhere}, "needs rovergrpc.Over"},
		{"passthrough:///x", []grpc.DialOption{grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"rover":{}}]}`)}, "needs rovergrpc.Over"},
		{"passthrough:///x", []grpc.DialOption{rovergrpc.Over(p)}, "give grpc.NewClient rovergrpc.Target"},
		{rovergrpc.Target, []grpc.DialOption{rovergrpc.Over(p), grpc.WithDisableServiceConfig()}, "does not balance by"},
		{rovergrpc.Target, []grpc.DialOption{rovergrpc.Over(p, rovergrpc.WithServiceConfig(`{"methodConfig":1}`))}, "rovergrpc: service config"},
	} {
		c := client{kit.Must(grpc.NewClient(wrong.target, append(wrong.options, grpc.WithTransportCredentials(insecure.NewCredentials()))...))(t)}
		if _, err := c.who(soon(t)); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("got %v, want %q", err, wrong.want)
		}
		c.Close()
	}
}
