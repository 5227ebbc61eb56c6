package rover_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// An error that is a nil pointer panics as soon as somebody asks it anything:
// that costs one attempt.
func TestAnErrorThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
			var err *net.OpError
			return nil, err
		})))
		errs := kit.Watch[error](s.Errors())
		kit.Start(t, s)
		time.Sleep(1500 * time.Millisecond)
		s.Stop()
		if all := errs.Seen(); len(all) != 2 {
			t.Fatalf("two attempts: %v", all)
		} else if p, ok := all[0].(*rover.PanicError); !ok || p.In != "dialer" {
			t.Error(all[0])
		}
	})
}

// A panic in a stage of the sets ends them, and nothing else.
func TestAStageOfTheSetsThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sets := hot.NewSubject()
		s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}), rover.WithServerSets(sets.Observable().
			Map(func(context.Context, any) (any, error) { panic(kit.ErrOdd) })))
		errs := kit.Watch[error](s.Errors())
		kit.Start(t, s)
		sets.Publish(map[string]rover.Server{})
		time.Sleep(2500 * time.Millisecond)
		if all := errs.Seen(); len(all) != 1 {
			t.Errorf("emitted %v", all)
		} else if p, ok := all[0].(*rover.PanicError); !ok || p.In != "server sets" {
			t.Error(all[0])
		}
		if n := s.Stats(); n.Connections != 3 {
			t.Errorf("the roving did not go on: %+v", n)
		}
	})
}

// Ticks that have ended are owed all the same.
func TestATickIsOwedAfterTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithServers(nil), rover.WithTicks(rxgo.Just("the only one")()), rover.WithDialer(&kit.SlotDialer{}))
		outcomes := kit.Watch[rover.Outcome](s.Outcomes())
		kit.Start(t, s)
		time.Sleep(time.Minute)
		kit.Check(t, s.AddServer("a", kit.A))
		synctest.Wait()
		if all := outcomes.Seen(); len(all) != 1 || all[0].Err != nil || all[0].Tick != "the only one" {
			t.Errorf("outcomes %+v", all)
		}
	})
}

// An empty set is looked for before room: the tick is owed, not skipped.
func TestATickIsOwedAlsoWhenAllAreBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := hot.NewSubject()
		s := kit.Rove(t, rover.WithMaxInFlight(1), rover.WithTicks(ticks.Observable()),
			rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() })))
		kit.Start(t, s)
		ticks.Publish(1)
		synctest.Wait()
		s.DropServer("a")
		ticks.Publish(2)
		time.Sleep(time.Minute)
		kit.Check(t, s.AddServer("b", kit.B))
		synctest.Wait()
		if n := s.Stats(); n.Attempts != 2 || n.Busy != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// A Pick that adds a server while a tick is owed waits for nobody.
func TestAPickThatAddsServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *rover.Stream
		ticks := hot.NewSubject()
		s = kit.Rove(t, rover.WithServers(nil), rover.WithTicks(ticks.Observable()), rover.WithDialer(&kit.SlotDialer{}),
			rover.WithPick(func(n int) int { kit.Check(t, s.AddServer("b", kit.B)); time.Sleep(time.Second); return 0 }))
		kit.Start(t, s)
		ticks.Publish(1)
		synctest.Wait()
		kit.Check(t, s.AddServer("a", kit.A)) // pays, and Pick adds another
		ticks.Publish(2)
		time.Sleep(time.Minute)
		if n := s.Stats(); n.Attempts != 2 || n.Owed != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// Shutdown with a context that is over leaves dialers behind, but ends their
// contexts: well-behaved ones return.
func TestShutdownEndsTheContextsItLeaves(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			var dials sync.WaitGroup
			s := kit.Rove(t, rover.WithDialTimeout(time.Hour), rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
				dials.Add(1)
				defer dials.Done()
				<-ctx.Done()
				return nil, ctx.Err()
			})))
			kit.Start(t, s)
			synctest.Wait()
			over, cancel := context.WithCancel(t.Context())
			cancel()
			_ = s.Shutdown(over)
			dials.Wait() // or the bubble is deadlocked
		})
	}
}

// A logger that panics each time in other words, where nobody reads: its
// panics are counted, and not logged by itself.
func TestALoggerThatPanicsInOtherWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		s := kit.Rove(t, rover.WithTicks(rxgo.Range(0, 20)), rover.WithPick(func(int) int { calls++; return calls }),
			rover.WithLogger(slog.New(wordy{&calls})))
		s.Errors().Observe(rxgo.WithContext(t.Context()), rxgo.WithBufferedChannel(1))
		kit.Start(t, s)
		time.Sleep(time.Minute)
		if n := s.Stats(); n.BadPicks != 20 || n.Undelivered < 19 || calls > 100 {
			t.Errorf("%d calls, %+v", calls, n)
		}
	})
}

type wordy struct{ calls *int }

func (wordy) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (w wordy) Handle(context.Context, slog.Record) error  { *w.calls++; panic(*w.calls) }
func (w wordy) WithAttrs([]slog.Attr) slog.Handler         { return w }
func (w wordy) WithGroup(string) slog.Handler              { return w }

// What an operator's subscriber does not take is closed, kept sockets too.
func TestOperatorsCloseWhatWasKept(t *testing.T) {
	for name, apply := range map[string]func(rxgo.Observable) rxgo.Observable{
		"Merge":     func(o rxgo.Observable) rxgo.Observable { return rover.Merge([]rxgo.Observable{o}) },
		"TakeUntil": func(o rxgo.Observable) rxgo.Observable { return rover.TakeUntil(o, rxgo.Never()) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				synctest.Test(t, func(t *testing.T) {
					g := &kit.SlotDialer{}
					s := kit.Rove(t, rover.WithDialer(g), rover.WithInterval(time.Millisecond))
					done := apply(rover.KeepEach(s.Connections())).Take(1).ForEach(func(v any) {
						time.Sleep(10 * time.Millisecond) // some come meanwhile
						v.(*rover.Kept).Close()
					}, nil, func() {})
					kit.Start(t, s)
					<-done
					s.Stop()
					synctest.Wait()
					if n := g.Connected.Load(); n != 0 {
						t.Errorf("%d sockets are open", n)
					}
				})
			}
		})
	}
}

// Nobody has left who thinks for as long as offers live: they have expired.
func TestAnExpiredOfferIsCountedAsExpired(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			ticks := hot.NewSubject()
			s := kit.Rove(t, rover.WithTicks(ticks.Observable()), rover.WithKeepTimeout(time.Second), rover.WithDialer(&kit.SlotDialer{}))
			s.Connections().ForEach(func(any) { time.Sleep(time.Second) }, nil, func() {})
			kit.Start(t, s)
			for i := range 2 {
				ticks.Publish(i)
				synctest.Wait()
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if n := s.Stats(); n.Expired != 2 || n.Left != 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// Accept answers offers: there is nothing to warn of.
func TestAcceptIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := kit.Rove(t, rover.WithKeepTimeout(3*time.Second), rover.WithDialer(&kit.SlotDialer{}),
			rover.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		rover.Accept(s.Connections(), func(v any) bool { return v.(*rover.Connection).Slot%2 == 1 }).ForEach(func(any) {}, nil, func() {})
		kit.Start(t, s)
		time.Sleep(10 * time.Second)
		if n := s.Stats(); n.Expired == 0 || n.Declined == 0 {
			t.Errorf("%+v", n)
		}
		s.Stop()
		if strings.Contains(log.String(), "nobody") {
			t.Error(log.String())
		}
	})
}
