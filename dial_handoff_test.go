package rover_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// bubble runs a test in virtual time with a rover that ticks every second and
// finds slots 0, 1, 2, …
func bubble(t *testing.T, f func(t *testing.T, s *rover.Stream, g *kit.SlotDialer), opts ...rover.Option) {
	synctest.Test(t, func(t *testing.T) {
		g := &kit.SlotDialer{}
		s := kit.Rove(t, append([]rover.Option{rover.WithDialer(g)}, opts...)...)
		f(t, s, g)
		s.Stop()
		synctest.Wait()
		if n := g.Connected.Load(); n != 0 { // f has closed what it kept
			t.Errorf("%d sockets are open", n)
		}
	})
}

// wantStats holds a stream to all of its counters but Ticks, which has to be the
// sum of the others.
func wantStats(t *testing.T, s *rover.Stream, want rover.Stats) {
	t.Helper()
	want.Ticks = want.Attempts + want.Busy + want.NoServers + want.BadPicks + want.Owed
	if got := s.Stats(); got != want {
		t.Errorf("stats are\n%+v, want\n%+v", got, want)
	}
}

func TestKeepOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		first, second := kit.Watch[*rover.Connection](s.Connections()), kit.Watch[*rover.Connection](s.Connections())
		kit.Start(t, s)
		synctest.Wait()
		a, b := first.Seen()[0], second.Seen()[0]
		if a == b {
			t.Fatal("two subscribers share a *Connection")
		}
		conn, err := a.Keep()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for c, want := range map[*rover.Connection]error{a: rover.ErrKept, b: rover.ErrTaken} {
			for range 2 {
				if _, err := c.Keep(); err != want {
					t.Errorf("Keep after Keep: got %v, want %v", err, want)
				}
				c.Decline() // has no say any more
			}
		}
		time.Sleep(time.Hour)
		if g.Connected.Load() == 0 {
			t.Error("a kept socket was closed")
		}
	}, rover.WithInterval(24*time.Hour))
}

func TestAllMustDecline(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		first, second := kit.Watch[*rover.Connection](s.Connections()), kit.Watch[*rover.Connection](s.Connections())
		kit.Start(t, s)
		synctest.Wait()
		a, b := first.Seen()[0], second.Seen()[0]
		a.Decline()
		a.Decline()
		synctest.Wait()
		if g.Connected.Load() != 1 {
			t.Fatal("one subscriber said no twice, and it was closed")
		}
		if _, err := a.Keep(); !isOver(err, "declined") {
			t.Errorf("Keep after Decline: %v", err)
		}
		b.Decline()
		synctest.Wait()
		if g.Connected.Load() != 0 {
			t.Error("all said no, and it is open")
		}
		if _, err := b.Keep(); !isOver(err, "declined") {
			t.Errorf("Keep of a declined connection: %v", err)
		}
		wantStats(t, s, rover.Stats{Attempts: 1, Connections: 1, Declined: 1})
	}, rover.WithInterval(24*time.Hour))
}

// isOver says that an error wraps ErrExpired and says how the offer ended.
func isOver(err error, how string) bool {
	return errors.Is(err, rover.ErrExpired) && strings.Contains(err.Error(), how)
}

func TestUnansweredOffersExpire(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		low := kit.Watch[*rover.Connection](s.Connections().Filter(rover.SlotBelow(0))) // a plain Filter says nothing
		seen := kit.Watch[*rover.Connection](s.Connections())
		kit.Start(t, s)
		time.Sleep(3*time.Second - 1)
		synctest.Wait()
		wantStats(t, s, rover.Stats{Attempts: 1, Connections: 1, Open: 1})
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantStats(t, s, rover.Stats{Attempts: 1, Connections: 1, Expired: 1})
		if g.Connected.Load() != 0 {
			t.Error("an expired socket is open")
		}
		if len(low.Seen()) != 0 {
			t.Error("the filter let it through")
		}
		if _, err := seen.Seen()[0].Keep(); !isOver(err, "expired, nobody kept it") {
			t.Errorf("Keep of an expired connection: %v", err)
		}
	}, rover.WithInterval(24*time.Hour), rover.WithKeepTimeout(3*time.Second))
}

// A late subscriber gets what is open, the newest first, but not what somebody
// has left already.
func TestALateSubscriberGetsWhatIsOpen(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		kit.Start(t, s)
		time.Sleep(6500 * time.Millisecond) // slots 0 to 6; 0 and 1 have expired
		late := kit.Watch[*rover.Connection](s.Connections())
		synctest.Wait()
		if got := kit.Slots(late.Seen()); !slices.Equal(got, []int{6, 5, 4, 3, 2}) {
			t.Errorf("a late subscriber got %v", got)
		}
		late.Seen()[0].Decline() // nobody else has it
		conn, err := late.Seen()[1].Keep()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		other := kit.Watch[*rover.Connection](s.Connections())
		synctest.Wait()
		other.Seen()[1].Decline() // slot 3, which the first one still has
		later := kit.Watch[*rover.Connection](s.Connections())
		time.Sleep(time.Second)
		synctest.Wait()
		if got := kit.Slots(other.Seen()); !slices.Equal(got, []int{4, 3, 2, 7}) {
			t.Errorf("another subscriber got %v", got)
		}
		if got := kit.Slots(later.Seen()); !slices.Equal(got, []int{4, 2, 7}) {
			t.Errorf("a later subscriber got %v", got)
		}
		wantStats(t, s, rover.Stats{Attempts: 8, Connections: 8, Expired: 2, Declined: 1, Kept: 1, Open: 4})
	})
}

func TestLeavingDeclines(t *testing.T) {
	for name, subscribe := range map[string]func(context.Context, rxgo.Observable){
		"Observe":        func(ctx context.Context, o rxgo.Observable) { o.Observe(rxgo.WithContext(ctx)) },
		"Filter.Observe": func(ctx context.Context, o rxgo.Observable) { o.Filter(all).Observe(rxgo.WithContext(ctx)) },
		"ForEach": func(ctx context.Context, o rxgo.Observable) {
			o.ForEach(func(any) { <-ctx.Done() }, nil, func() {}, rxgo.WithContext(ctx))
		},
		"Events": func(ctx context.Context, o rxgo.Observable) {
			go func() {
				for c := range rover.Events[*rover.Connection](ctx, o) {
					<-ctx.Done()
					c.Decline()
				}
			}()
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
				ctx, cancel := context.WithCancel(t.Context())
				subscribe(ctx, s.Connections())
				synctest.Wait() // Events subscribes in its goroutine
				kit.Start(t, s)
				time.Sleep(3500 * time.Millisecond)
				wantStats(t, s, rover.Stats{Attempts: 4, Connections: 4, Open: 4})
				cancel()
				synctest.Wait()
				n := s.Stats()
				has, left := 0, 4
				switch name {
				case "ForEach": // what its callback already has is the callback's
					has, left = 1, 3
				case "Events": // its body has declined what it had
					left = 3
				}
				if n.Open != has || n.Left != left || n.Declined != 4-has {
					t.Errorf("after leaving: %+v", n)
				}
			})
		})
	}
}

func all(any) bool { return true }

// A full queue gives up its oldest. 0 is on its way to who does not read, 3 and
// 4 are in the queue of two; 1 and 2 made room.
func TestAFullQueueDeclines(t *testing.T) {
	for name, test := range map[string]struct {
		listen func(rxgo.Observable) rxgo.Observable // of another subscriber; nil: there is none
		stats  rover.Stats
	}{
		"and nobody else has them":  {nil, rover.Stats{Open: 3, Overflowed: 2}},
		"and another declines them": {Declining, rover.Stats{Open: 3, Declined: 2}},
		"and another may keep them": {func(o rxgo.Observable) rxgo.Observable { return o }, rover.Stats{Open: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
				unread := s.Connections().Observe(rxgo.WithBufferedChannel(2))
				var other *kit.Watcher[*rover.Connection]
				if test.listen != nil {
					other = kit.Watch[*rover.Connection](test.listen(s.Connections()))
				}
				kit.Start(t, s)
				time.Sleep(4500 * time.Millisecond)
				test.stats.Attempts, test.stats.Connections = 5, 5
				wantStats(t, s, test.stats)
				if other != nil && len(other.Seen()) != 5 {
					t.Errorf("the other subscriber saw %d", len(other.Seen()))
				}
				for _, want := range []int{0, 3, 4} {
					if got := (<-unread).V.(*rover.Connection).Slot; got != want {
						t.Errorf("got slot %d, want %d", got, want)
					}
				}
			}, rover.WithKeepTimeout(time.Hour))
		})
	}
}

// Declining declines all connections that pass.
func Declining(o rxgo.Observable) rxgo.Observable {
	return o.Filter(func(v any) bool {
		v.(*rover.Connection).Decline()
		return true
	})
}

func TestStopDeclinesWhatIsOpen(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		seen := kit.Watch[*rover.Connection](s.Connections())
		kit.Start(t, s)
		time.Sleep(2500 * time.Millisecond)
		conn, err := seen.Seen()[0].Keep()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s.Stop()
		<-seen.Done
		wantStats(t, s, rover.Stats{Attempts: 3, Connections: 3, Kept: 1, Declined: 2})
		if _, err := seen.Seen()[1].Keep(); !isOver(err, "stopped") {
			t.Errorf("Keep after Stop: %v", err)
		}
	})
}

func TestAcceptDeclinesTheRest(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		low := kit.Watch[*rover.Connection](rover.Accept(s.Connections(), rover.SlotBelow(2)))
		kit.Start(t, s)
		time.Sleep(4500 * time.Millisecond)
		wantStats(t, s, rover.Stats{Attempts: 5, Connections: 5, Open: 2, Declined: 3})
		if got := kit.Slots(low.Seen()); !slices.Equal(got, []int{0, 1}) {
			t.Errorf("accepted %v", got)
		}
	})
}

func TestNewConnectionHandsOffTheSameWay(t *testing.T) {
	client, server := net.Pipe()
	c := rover.NewConnection("x", rover.Server{Host: "::1", Port: 7}, 3, client)
	if got := c.String(); got != `slot 3 of "x" ([::1]:7)` {
		t.Error(got)
	}
	if conn, err := c.Keep(); conn != client || err != nil {
		t.Error(conn, err)
	}
	if _, err := c.Keep(); err != rover.ErrKept {
		t.Error(err)
	}
	c.Decline()
	go func() { _ = client.Close() }()
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}

	client, server = net.Pipe()
	c = rover.NewConnection("x", rover.Server{}, 3, client)
	c.Decline()
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Error("declined and not closed:", err)
	}
	if _, err := c.Keep(); !isOver(err, "declined") {
		t.Error(err)
	}
}

// Whatever a crowd does at once, each socket is kept by one or closed.
func TestACrowdOfAnswers(t *testing.T) {
	g := &kit.SlotDialer{}
	s := kit.Rove(t, rover.WithDialer(g), rover.WithInterval(200*time.Microsecond), rover.WithKeepTimeout(3*time.Millisecond))
	var kept sync.Map
	var enough sync.WaitGroup
	enough.Add(200)
	for i := range 6 {
		left := 200
		s.Connections().ForEach(func(v any) {
			c := v.(*rover.Connection)
			switch (c.Slot + i) % 3 {
			case 0:
				if conn, err := c.Keep(); err == nil {
					if _, twice := kept.LoadOrStore(c.Slot, conn); twice {
						t.Errorf("slot %d was kept twice", c.Slot)
					}
					_ = conn.Close()
				}
			case 1:
				c.Decline()
			}
			if i == 0 && left > 0 {
				left--
				enough.Done()
			}
		}, nil, func() {})
	}
	kit.Start(t, s)
	enough.Wait()
	s.Stop()
}
