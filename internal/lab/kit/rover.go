package kit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/marble"
	"github.com/callosum-go/rover/rovertest"
	"github.com/reactivex/rxgo/v2"
)

// Two servers, of which nobody listens to the addresses.
var (
	A = rover.Server{Host: "10.0.0.1", Port: 4040}
	B = rover.Server{Host: "10.0.0.2", Port: 4040}
)

// One is a set of one server.
var One = map[string]rover.Server{"a": A}

// ErrOdd is an error that nothing makes but a test.
var ErrOdd = errors.New("odd")

// Quiet is a logger that keeps nothing.
func Quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Rove makes a stream of One server and stops it with the test, when all its
// counters must add up.
func Rove(t testing.TB, opts ...rover.Option) *rover.Stream {
	t.Helper()
	s := Must(rover.New(append([]rover.Option{rover.WithServers(One), rover.WithLogger(Quiet())}, opts...)...))(t)
	t.Cleanup(func() {
		s.Stop()
		Conserved(t, s)
		if n := s.Stats(); n.Open != 0 || n.InFlight != 0 || n.Owed != 0 {
			t.Errorf("something is left after Stop: %+v", n)
		}
	})
	return s
}

// Start starts a stream.
func Start(t testing.TB, s *rover.Stream) {
	t.Helper()
	Check(t, s.Start(context.Background()))
}

// Roving is a rover that starts at frame zero and stops at a time. It has One
// server, unless options say otherwise.
func Roving(m *marble.M, until string, network *rovertest.Dialer, opts ...rover.Option) *rover.Stream {
	m.Helper()
	s := Rove(m, append([]rover.Option{rover.WithDialer(network)}, opts...)...)
	m.At(0, func() { Start(m, s) })
	m.At(m.Time(until), s.Stop)
	return s
}

// Find roves until the first connection.
func Find(t testing.TB, server rover.Server, opts ...rover.Option) (*rover.Stream, *rover.Connection) {
	t.Helper()
	s := Rove(t, append([]rover.Option{rover.WithServers(map[string]rover.Server{"a": server}), rover.WithInterval(time.Hour)}, opts...)...)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	connections := s.Connections().Observe()
	problems := s.Unreachable().Observe()
	Check(t, s.Start(ctx))
	select {
	case item := <-connections:
		return s, item.V.(*rover.Connection)
	case item := <-problems:
		t.Fatal(item.V)
	}
	return nil, nil
}

// Conserved fails the test unless ticks, attempts and offers add up.
func Conserved(t testing.TB, s *rover.Stream) {
	t.Helper()
	if err := AddUp(s.Stats()); err != nil {
		t.Error(err)
	}
}

// AddUp says which counters do not add up.
func AddUp(n rover.Stats) error {
	var wrong []error
	check := func(what string, ok bool) {
		if !ok {
			wrong = append(wrong, fmt.Errorf("%s do not add up: %+v", what, n))
		}
	}
	check("ticks", n.Ticks == n.Attempts+n.Busy+n.NoServers+n.BadPicks+n.Owed)
	check("attempts", n.Attempts == n.InFlight+n.Connections+n.Unreachable+n.ProtocolErrors+n.Failures+n.Aborted)
	check("offers", n.Connections == n.Open+n.Kept+n.Declined+n.Expired+n.Overflowed)
	check("declined offers", n.Left >= 0 && n.Left <= n.Declined)
	check("owed ticks", n.Owed == 0 || n.Owed == 1)
	return errors.Join(wrong...)
}

// Slots are the slots of connections.
func Slots(connections []*rover.Connection) []int {
	slots := []int{}
	for _, c := range connections {
		slots = append(slots, c.Slot)
	}
	return slots
}

// Decline declines a connection, which v must be.
func Decline(v any) { v.(*rover.Connection).Decline() }

// DeclinedSlots declines connections and emits their slots.
func DeclinedSlots(connections rxgo.Observable) rxgo.Observable {
	return connections.Map(func(_ context.Context, v any) (any, error) {
		Decline(v)
		return v.(*rover.Connection).Slot, nil
	})
}
