package rover_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/callosum-go/rover"
	"github.com/reactivex/rxgo/v2"
)

// A dialFunc is a Dialer.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (f dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// greeters dials pipes whose other ends greet with the slots 0, 1, 2, … in the
// order of the dials, and knows how many of them are still connected.
type greeters struct {
	dials     atomic.Int64
	connected atomic.Int64
}

func (g *greeters) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	slot := g.dials.Add(1) - 1
	g.connected.Add(1)
	go func() {
		defer g.connected.Add(-1)
		defer server.Close()
		if _, err := fmt.Fprintf(server, "%d\r\n", slot); err == nil {
			_, _ = io.Copy(io.Discard, server) // until the client is gone
		}
	}()
	return client, nil
}

// one is a set of one server.
var one = map[string]rover.Server{"a": {Host: "10.0.0.1", Port: 4040}}

// rove makes a stream of one server and stops it with the test, when all its
// counters must add up.
func rove(t testing.TB, opts ...rover.Option) *rover.Stream {
	t.Helper()
	opts = append([]rover.Option{rover.WithServers(one), rover.WithLogger(slog.New(slog.DiscardHandler))}, opts...)
	s, err := rover.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		conserved(t, s)
		if n := s.Stats(); n.Open != 0 || n.InFlight != 0 {
			t.Errorf("something is left after Stop: %+v", n)
		}
	})
	return s
}

// conserved fails the test unless attempts and offers add up.
func conserved(t testing.TB, s *rover.Stream) {
	t.Helper()
	n := s.Stats()
	if n.Attempts != n.InFlight+n.Connections+n.Unreachable+n.ProtocolErrors+n.Failures+n.Aborted {
		t.Errorf("attempts do not add up: %+v", n)
	}
	if n.Connections != n.Open+n.Kept+n.Declined+n.Expired {
		t.Errorf("offers do not add up: %+v", n)
	}
}

// watcher collects what a subscriber saw.
type watcher[T any] struct {
	mu   sync.Mutex
	all  []T
	done rxgo.Disposed
}

// watch subscribes with ForEach.
func watch[T any](o rxgo.Observable, opts ...rxgo.Option) *watcher[T] {
	l := &watcher[T]{}
	l.done = o.ForEach(func(v any) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, v.(T))
	}, func(err error) { panic(err) }, func() {}, opts...)
	return l
}

func (l *watcher[T]) seen() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.all...)
}

// slots are the slots of connections.
func slots(connections []*rover.Connection) []int {
	slots := []int{}
	for _, c := range connections {
		slots = append(slots, c.Slot)
	}
	return slots
}

func start(t testing.TB, s *rover.Stream) {
	t.Helper()
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
}
