package rover_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// A subscriber that thinks one and a half intervals about each offer, at all
// defaults: what it is given can still be kept, for as long as it goes on.
func TestASlowSubscriberGetsFreshOffers(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		var kept, lost atomic.Int64
		s.Connections().Map(func(_ context.Context, v any) (any, error) {
			time.Sleep(1500 * time.Millisecond)
			return v, nil
		}).ForEach(func(v any) {
			if conn, err := v.(*rover.Connection).Keep(); err == nil {
				kept.Add(1)
				conn.Close()
			} else {
				lost.Add(1)
			}
		}, func(error) {}, func() {})
		kit.Start(t, s)
		time.Sleep(20 * time.Minute)
		if kept.Load() < 790 || lost.Load() > 0 {
			t.Errorf("kept %d of %d, %d were over", kept.Load(), s.Stats().Connections, lost.Load())
		}
		s.Stop()
		time.Sleep(time.Minute)
	})
}

// A full queue gives up its oldest offers: they are counted, and their sockets
// are closed.
func TestAFullQueueKeepsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &kit.SlotDialer{}
		s := kit.Rove(t, rover.WithDialer(g), rover.WithInterval(10*time.Millisecond))
		items := s.Connections().Observe(rxgo.WithBufferedChannel(3))
		kit.Start(t, s)
		time.Sleep(95 * time.Millisecond) // 10 offers
		synctest.Wait()
		n := s.Stats()
		if n.Overflowed != 6 || n.Open != 4 || n.Declined != 0 { // one waits for its reader
			t.Errorf("%+v", n)
		}
		kit.Equal(t, "sockets", g.Connected.Load(), 4)
		var slots []int
		for range 4 {
			slots = append(slots, (<-items).V.(*rover.Connection).Slot)
		}
		if want := []int{0, 7, 8, 9}; !slices.Equal(slots, want) {
			t.Errorf("delivered %v, want %v", slots, want)
		}
		s.Stop()
	})
}

// The keep timeout of an offer that waited in a queue runs from its delivery.
func TestTheKeepTimeoutRunsFromDelivery(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		items := s.Connections().Observe()
		kit.Start(t, s)
		time.Sleep(4 * time.Second)
		first := (<-items).V.(*rover.Connection)
		time.Sleep(5*time.Second - 1)
		conn, err := first.Keep()
		kit.Check(t, err)
		conn.Close()
		s.Stop()
	}, rover.WithInterval(time.Hour))
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		items := s.Connections().Observe()
		kit.Start(t, s)
		time.Sleep(4 * time.Second)
		first := (<-items).V.(*rover.Connection)
		time.Sleep(5*time.Second + 1)
		if _, err := first.Keep(); !errors.Is(err, rover.ErrExpired) || !strings.Contains(err.Error(), "expired") {
			t.Error(err)
		}
		kit.Equal(t, "expired", s.Stats().Expired, 1)
		s.Stop()
	}, rover.WithInterval(time.Hour))
}

// Nothing that is over is delivered, whichever way a subscriber reads.
func TestWhatIsOverIsNotDelivered(t *testing.T) {
	all := func(any) bool { return true }
	ctx := context.Background()
	for name, read := range map[string]func(s *rover.Stream, see func(any)){
		"Observe": func(s *rover.Stream, see func(any)) { reading(s.Connections().Observe(), see) },
		"Filter.Observe": func(s *rover.Stream, see func(any)) {
			reading(s.Connections().Filter(all).Observe(), see)
		},
		"ForEach": func(s *rover.Stream, see func(any)) {
			s.Connections().ForEach(see, func(error) {}, func() {})
		},
		"Events": func(s *rover.Stream, see func(any)) {
			events := rover.Events[*rover.Connection](ctx, s.Connections())
			go func() {
				for c := range events {
					see(c)
				}
			}()
		},
		"Share": func(s *rover.Stream, see func(any)) { reading(rover.Share(s.Connections()).Observe(), see) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
				var seen atomic.Int64
				read(s, func(v any) {
					conn, err := v.(*rover.Connection).Keep()
					if seen.Add(1); err != nil {
						t.Errorf("slot %d: %v", v.(*rover.Connection).Slot, err)
					} else {
						conn.Close()
					}
					time.Sleep(11 * time.Second) // longer than offers live
				})
				kit.Start(t, s)
				time.Sleep(2 * time.Minute)
				if seen.Load() < 9 {
					t.Errorf("%d offers were delivered", seen.Load())
				}
				s.Stop()
				time.Sleep(time.Minute)
			})
		})
	}
}

func reading(items <-chan rxgo.Item, see func(any)) {
	go func() {
		for item := range items {
			see(item.V)
		}
	}()
}

// A newcomer gets the open offers, the newest first, as many as it has room
// for; none is closed by its coming.
func TestANewcomerGetsTheNewestFirst(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		kit.Start(t, s)
		time.Sleep(4975 * time.Millisecond)
		items := s.Connections().Observe()
		synctest.Wait()
		n := s.Stats()
		if n.Open != 100 || n.Declined+n.Overflowed+n.Left != 0 {
			t.Errorf("%+v", n)
		}
		for slot := 99; slot > 69; slot-- {
			if c := (<-items).V.(*rover.Connection); c.Slot != slot {
				t.Fatalf("slot %d, want %d", c.Slot, slot)
			}
		}
		s.Stop()
	}, rover.WithInterval(50*time.Millisecond))
}

// Who declined an offer, or left it, does not see it when it comes back.
func TestNobodyIsOfferedWhatItDeclined(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		silent := kit.Watch[*rover.Connection](s.Connections()) // keeps all of them open
		ctx, cancel := context.WithCancel(t.Context())
		s.Connections().ForEach(kit.Decline, func(error) {}, func() {}, rxgo.WithContext(ctx))
		kit.Start(t, s)
		time.Sleep(2500 * time.Millisecond)
		cancel()
		synctest.Wait()
		time.Sleep(time.Second) // one more, which only the silent one has seen
		again := s.Connections().Observe()
		synctest.Wait()
		if c := (<-again).V.(*rover.Connection); c.Slot != 3 {
			t.Errorf("offered slot %d", c.Slot)
		}
		kit.Equal(t, "more of them", len(again), 0)
		kit.Equal(t, "open", s.Stats().Open, 4)
		_ = silent
		s.Stop()
	})
}

// Offers are counted by why they ended.
func TestOffersAreCountedByWhyTheyEnded(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		ctx, cancel := context.WithCancel(t.Context())
		items := s.Connections().Observe(rxgo.WithContext(ctx))
		kit.Start(t, s)
		time.Sleep(1500 * time.Millisecond)
		(<-items).V.(*rover.Connection).Decline()
		cancel() // with one unread
		for range items {
		}
		synctest.Wait()
		n := s.Stats()
		if n.Declined != 2 || n.Left != 1 || n.Open != 0 {
			t.Errorf("%+v", n)
		}
		time.Sleep(10 * time.Second)
		s.Stop()
		n = s.Stats()
		if n.Connections != 12 || n.Expired != 5 || n.Declined != 7 || n.Left != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// Keep's error says how an offer ended.
func TestKeepSaysHowAnOfferEnded(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		mine, others := kit.Watch[*rover.Connection](s.Connections()), kit.Watch[*rover.Connection](s.Connections())
		kit.Start(t, s)
		time.Sleep(3500 * time.Millisecond)
		conn, err := mine.Seen()[0].Keep()
		kit.Check(t, err)
		conn.Close()
		mine.Seen()[1].Decline()
		others.Seen()[1].Decline()
		_, again := mine.Seen()[0].Keep()
		_, taken := others.Seen()[0].Keep()
		_, declined := mine.Seen()[1].Keep()
		mine.Seen()[0].Decline() // does nothing
		time.Sleep(4 * time.Second)
		_, expired := mine.Seen()[2].Keep()
		s.Stop()
		_, stopped := mine.Seen()[7].Keep()
		for i, got := range []error{again, taken, declined, expired, stopped} {
			want := []error{rover.ErrKept, rover.ErrTaken, rover.ErrExpired, rover.ErrExpired, rover.ErrExpired}[i]
			word := []string{"", "", "declined", "expired", "stopped"}[i]
			if !errors.Is(got, want) || !strings.Contains(got.Error(), word) {
				t.Errorf("got %v, want %v, %s", got, want, word)
			}
		}
	})
}
