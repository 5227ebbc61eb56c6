package rover_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
)

// A Dialer like `c, err := tls.Dial(…); return c, err` gives a nil *tls.Conn
// in a net.Conn that is not nil, together with its error.
func TestATypedNilConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
		told := watch[*rover.UnreachableError](s.Unreachable())
		start(t, s)
		synctest.Wait()
		if all := told.seen(); len(all) != 1 || !errors.Is(all[0], errOdd) {
			t.Errorf("told %v", all)
		}
	}, rover.WithDialer(dialFunc(func(context.Context, string, string) (net.Conn, error) {
		var c *tls.Conn
		return c, errOdd
	})))
}

// The context of an attempt ends with it, with the dial timeout, or at the
// latest with Stop: who waits for it must not wait for ever.
func TestTheDialersContextEnds(t *testing.T) {
	bubble(t, func(t *testing.T, _ *rover.Stream, g *greeters) {
		ended := make(chan struct{})
		var used context.Context
		s := rove(t, rover.WithDialTimeout(time.Second), rover.WithInterval(time.Hour), rover.WithDialer(dialFunc(func(ctx context.Context, n, a string) (net.Conn, error) {
			used = ctx
			context.AfterFunc(ctx, func() { close(ended) })
			return g.DialContext(ctx, n, a)
		})))
		start(t, s)
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
	bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
		start(t, s)
		time.Sleep(20*time.Second + 500*time.Millisecond)
		s.Stop()
		if n := s.Stats(); n.InFlight != 0 || n.Busy != 0 {
			t.Errorf("%+v", n)
		}
	}, rover.WithDialer(dialFunc(func(context.Context, string, string) (net.Conn, error) { runtime.Goexit(); return nil, nil })))
}

// A panic of a Dialer is on Errors, late or not.
func TestALatePanic(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
		errs := watch[error](s.Errors())
		unreachable := watch[*rover.UnreachableError](s.Unreachable())
		start(t, s)
		time.Sleep(6500 * time.Millisecond)
		if len(errs.seen()) == 0 {
			t.Errorf("errors %v, unreachable %v", errs.seen(), unreachable.seen())
		}
	}, rover.WithDialer(dialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); panic(errOdd) })))
}

// The dial timeout holds for all that a *net.Dialer does.
func TestADialerWithControlContext(t *testing.T) {
	d := &net.Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		<-ctx.Done() // a rate limiter, a semaphore
		return ctx.Err()
	}}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			s := rove(t, rover.WithServers(map[string]rover.Server{"a": {Host: host, Port: 9}}),
				rover.WithInterval(time.Hour), rover.WithDialTimeout(100*time.Millisecond), rover.WithDialer(d))
			events := s.Unreachable().Observe()
			start(t, s)
			select {
			case <-events:
			case <-time.After(2 * time.Second):
				t.Errorf("no event 2 s after a dial timeout of 100 ms: %+v", s.Stats())
			}
		})
	}
}
