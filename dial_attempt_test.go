package rover_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// A Dialer like `c, err := tls.Dial(…); return c, err` gives a nil *tls.Conn
// in a net.Conn that is not nil, together with its error.
func TestATypedNilConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		reported := kit.Watch[*rover.UnreachableError](s.Unreachable())
		kit.Start(t, s)
		synctest.Wait()
		if all := reported.Seen(); len(all) != 1 || !errors.Is(all[0], kit.ErrOdd) {
			t.Errorf("reported %v", all)
		}
	}, rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
		var c *tls.Conn
		return c, kit.ErrOdd
	})))
}

// The context of an attempt ends with it, with the dial timeout, or at the
// latest with Stop: who waits for it must not wait for ever.
func TestTheDialersContextEnds(t *testing.T) {
	bubble(t, func(t *testing.T, _ *rover.Stream, g *kit.SlotDialer) {
		ended := make(chan struct{})
		var used context.Context
		s := kit.Rove(t, rover.WithDialTimeout(time.Second), rover.WithInterval(time.Hour), rover.WithDialer(kit.DialFunc(func(ctx context.Context, n, a string) (net.Conn, error) {
			used = ctx
			context.AfterFunc(ctx, func() { close(ended) })
			return g.DialContext(ctx, n, a)
		})))
		kit.Start(t, s)
		time.Sleep(time.Minute)
		s.Stop()
		synctest.Wait()
		select {
		case <-ended:
		default:
			deadline, _ := used.Deadline()
			t.Errorf("%v after its deadline and after Stop the context of the dial has not ended: %v", time.Since(deadline), used.Err())
		}
	})
}

// A Dialer that ends its goroutine (t.FailNow in a test) is over, too.
func TestGoexitInDialer(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		failures := kit.Watch[error](s.Errors())
		kit.Start(t, s)
		time.Sleep(20*time.Second + 500*time.Millisecond)
		s.Stop()
		wantStats(t, s, rover.Stats{Attempts: 21, Failures: 21})
		seen := map[*rover.PanicError]bool{}
		for _, err := range failures.Seen() {
			p, ok := err.(*rover.PanicError)
			if !ok || p.In != "dialer" || !strings.Contains(p.Error(), "it ended its goroutine") || len(p.Stack) == 0 || seen[p] {
				t.Fatalf("got %v", err)
			}
			seen[p] = true
		}
		if len(seen) != 21 {
			t.Errorf("%d errors", len(seen))
		}
	}, rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { runtime.Goexit(); return nil, nil })))
}

// A panic of a Dialer is on Errors, late or not.
func TestALatePanic(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		errs := kit.Watch[error](s.Errors())
		unreachable := kit.Watch[*rover.UnreachableError](s.Unreachable())
		kit.Start(t, s)
		time.Sleep(6500 * time.Millisecond)
		if len(errs.Seen()) != 2 || len(unreachable.Seen()) != 0 { // of 0 and 1 s
			t.Errorf("errors %v, unreachable %v", errs.Seen(), unreachable.Seen())
		}
	}, rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); panic(kit.ErrOdd) })))
}

// The dial timeout holds for all that a *net.Dialer does.
func TestADialerWithControlContext(t *testing.T) {
	d := &net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		<-ctx.Done() // a rate limiter, a semaphore
		return ctx.Err()
	}}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			s := kit.Rove(t, rover.WithServers(map[string]rover.Server{"a": {Host: host, Port: 9}}),
				rover.WithInterval(time.Hour), rover.WithDialTimeout(100*time.Millisecond), rover.WithDialer(d))
			events := s.Unreachable().Observe()
			kit.Start(t, s)
			select {
			case <-events:
			case <-time.After(2 * time.Second):
				t.Errorf("no event 2 s after a dial timeout of 100 ms: %+v", s.Stats())
			}
		})
	}
}

// One socket whose Close blocks does not hold up the dial timeouts of others.
func TestABlockedClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var dials atomic.Int64
		s := kit.Rove(t, rover.WithDialTimeout(time.Second), rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
			client, _ := net.Pipe() // silent
			if dials.Add(1) == 1 {
				return &blocked{client, release}, nil
			}
			return client, nil
		})))
		kit.Start(t, s)
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

// The dialer's context has the earlier one of two deadlines, the dial timeout's
// and that of Start's context: there are dialers that look at nothing else.
func TestTheDialersDeadline(t *testing.T) {
	for name, start := range map[string]time.Duration{"sooner": time.Second, "later": time.Hour} {
		t.Run("Start's is "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), start)
				defer cancel()
				dials := 0
				s := kit.Rove(t, rover.WithDialTimeout(3*time.Second), rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
					dials++
					want := min(start, 3*time.Second)
					if got, ok := ctx.Deadline(); !ok || time.Until(got) != want {
						t.Errorf("the deadline is in %v, want %v", time.Until(got), want)
					}
					return nil, kit.ErrOdd
				})))
				kit.Check(t, s.Start(ctx))
				synctest.Wait()
				s.Stop()
				if dials != 1 {
					t.Errorf("%d dials", dials)
				}
			})
		})
	}
}

func TestADialerThatReturnsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		reported := kit.Watch[*rover.UnreachableError](s.Unreachable())
		kit.Start(t, s)
		synctest.Wait()
		if all := reported.Seen(); len(all) != 1 || !strings.Contains(all[0].Error(), "neither connection nor error") {
			t.Error(all)
		}
	}, rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { return nil, nil })))
}

// An attempt that was over at its dial timeout is not left behind a moment later:
// its worker has the next attempt by then, and Stop waits for that one.
func TestStopWaitsForTheAttemptAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := hot.NewSubject()
		dials := 0
		s := kit.Rove(t, rover.WithTicks(ticks.Observable()), rover.WithDialTimeout(time.Second),
			rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				if dials++; dials == 2 {
					time.Sleep(200 * time.Millisecond)
				}
				return nil, ctx.Err()
			})))
		kit.Start(t, s)
		ticks.Publish("first")
		time.Sleep(time.Second + 5*time.Millisecond) // the worker is idle
		ticks.Publish("second")
		time.Sleep(500 * time.Millisecond)
		begun := time.Now()
		s.Stop()
		if took := time.Since(begun); took != 200*time.Millisecond {
			t.Errorf("Stop took %v, want as long as the dial: 200ms", took)
		}
		wantStats(t, s, rover.Stats{Attempts: 2, Unreachable: 1, Aborted: 1})
	})
}
