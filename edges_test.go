package rover_test

import (
	"context"
	"iter"
	"log/slog"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// A tick that is skipped does not use up a server's turn.
func TestABusyTickPicksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		picks := 0
		s := rove(t, rover.WithMaxInFlight(1), rover.WithDialTimeout(time.Hour), rover.WithPick(func(n int) int { picks++; return 0 }),
			rover.WithDialer(dialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() })))
		start(t, s)
		time.Sleep(4500 * time.Millisecond)
		s.Stop()
		if n := s.Stats(); picks != n.Attempts {
			t.Errorf("%d picks for %d attempts, %d busy", picks, n.Attempts, n.Busy)
		}
	})
}

// A host that has its port in it is told by name, not at every dial.
func TestAHostWithAPort(t *testing.T) {
	s := rove(t)
	for _, host := range []string{"127.0.0.1:4040", "localhost:4040", "a/b", "http://a"} {
		if err := s.AddServer("a", rover.Server{Host: host, Port: 1}); err == nil {
			t.Errorf("host %q is taken: dials %s", host, s.Servers()["a"].Addr())
		}
	}
}

// A subscriber's buffer is the size of its queue.
func TestSharesQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, wrap := range map[string]func(rxgo.Observable) rxgo.Observable{
			"Subject": func(o rxgo.Observable) rxgo.Observable { return o },
			"Share":   func(o rxgo.Observable) rxgo.Observable { return rover.Share(o) },
		} {
			source := hot.NewSubject(hot.WithQueue(2000))
			n := 0
			free := make(chan struct{})
			done := wrap(source.Observable()).ForEach(func(any) { <-free; n++ }, nil, func() {}, rxgo.WithBufferedChannel(1000))
			for i := range 500 {
				source.Publish(i)
				synctest.Wait()
			}
			source.Complete()
			close(free)
			<-done
			if n != 500 {
				t.Errorf("%s: %d of 500", name, n)
			}
		}
	})
}

// All operators wait for their goroutines.
func TestOperatorsWait(t *testing.T) {
	for name, apply := range map[string]func(a, b rxgo.Observable) rxgo.Observable{
		"TakeUntil's source":   func(a, b rxgo.Observable) rxgo.Observable { return rover.TakeUntil(b, a) },
		"TakeUntil's notifier": func(a, b rxgo.Observable) rxgo.Observable { return rover.TakeUntil(a, b) },
		"Merge":                func(a, b rxgo.Observable) rxgo.Observable { return rover.Merge([]rxgo.Observable{a, b}) },
		"Share":                func(a, b rxgo.Observable) rxgo.Observable { return rover.Share(rover.Merge([]rxgo.Observable{a, b})) },
		"WithLatestFrom": func(a, b rxgo.Observable) rxgo.Observable {
			return rover.WithLatestFrom(a, b, func(_ context.Context, a, _ any) (any, error) { return a, nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left atomic.Bool
				slow := hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
					return func(yield func(rxgo.Item) bool) {
						if name == "WithLatestFrom" {
							yield(rxgo.Of(0))
						}
						<-ctx.Done()
						time.Sleep(time.Second) // what it has to do yet
						left.Store(true)
					}
				}, nil)
				ticks := rover.Interval(time.Second)
				if name == "TakeUntil's source" {
					ticks = ticks.Skip(1)
				}
				<-apply(ticks, slow).Take(2).Run()
				if !left.Load() {
					t.Error("done before its source has been left")
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// Ticks without a pause do not pile up goroutines.
func TestAFloodOfTicks(t *testing.T) {
	s := rove(t, rover.WithMaxInFlight(1), rover.WithTicks(rxgo.Range(0, 300000)),
		rover.WithDialer(dialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() })))
	s.Errors().ForEach(func(any) {}, nil, func() {})
	most := 0
	start(t, s)
	for s.Stats().Busy < 290000 {
		most = max(most, runtime.NumGoroutine())
		runtime.Gosched()
	}
	t.Log("goroutines at most:", most)
	if most > 100 {
		t.Error("goroutines at most:", most)
	}
}

// A slow logger does not use up the KeepTimeout.
func TestASlowLogger(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
		var kept atomic.Int64
		s.Connections().ForEach(func(v any) {
			if c, err := v.(*rover.Connection).Keep(); err == nil {
				kept.Add(1)
				c.Close()
			}
		}, nil, func() {})
		start(t, s)
		time.Sleep(30 * time.Second)
		s.Stop()
		if kept.Load() == 0 {
			t.Errorf("no offer lived to be seen: %+v", s.Stats())
		}
	}, rover.WithKeepTimeout(time.Second), rover.WithLogger(slog.New(slow{})))
}

type slow struct{ panicking }

func (slow) Enabled(context.Context, slog.Level) bool  { return true }
func (slow) Handle(context.Context, slog.Record) error { time.Sleep(2 * time.Second); return nil }

// One socket whose Close blocks does not hold up the dial timeouts of others.
func TestABlockedClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var dials atomic.Int64
		s := rove(t, rover.WithDialTimeout(time.Second), rover.WithDialer(dialFunc(func(context.Context, string, string) (net.Conn, error) {
			client, _ := net.Pipe() // silent
			if dials.Add(1) == 1 {
				return &blocked{client, release}, nil
			}
			return client, nil
		})))
		start(t, s)
		time.Sleep(10500 * time.Millisecond)
		if n := s.Stats(); n.Unreachable < 8 {
			t.Errorf("9 attempts are past their dial timeout: %+v", n)
		}
		close(release)
		s.Stop()
	})
}

type blocked struct {
	net.Conn
	release chan struct{}
}

func (c *blocked) Close() error { <-c.release; return c.Conn.Close() }

// The context keeps the earlier one of two deadlines.
func TestTheEarlierDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		want, _ := ctx.Deadline()
		s := rove(t, rover.WithDialer(dialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
			if got, _ := ctx.Deadline(); got.After(want) {
				t.Errorf("the dial's deadline is %v behind Start's", got.Sub(want))
			}
			return nil, errOdd
		})))
		_ = s.Start(ctx)
		synctest.Wait()
		s.Stop()
	})
}
