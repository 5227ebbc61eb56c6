package rover_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// hang is a dialer that looks at nothing but release, and then has a socket.
func hang(release <-chan struct{}, sockets chan<- net.Conn) kit.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		<-release
		client, server := net.Pipe()
		sockets <- server
		return client, nil
	}
}

// returnAll lets n hung dialers return, and wants each socket of theirs closed.
func returnAll(t *testing.T, n int, release chan<- struct{}, sockets <-chan net.Conn) {
	t.Helper()
	close(release)
	for range n {
		if _, err := (<-sockets).Read(make([]byte, 1)); err == nil {
			t.Error("a late socket is open")
		}
	}
	synctest.Wait()
}

// A dialer that ignores its context is over at the dial timeout and its grace:
// the timeout is on Unreachable, its place is free, and the socket that it
// comes with in the end is closed.
func TestAHungDialerIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, sockets := make(chan struct{}), make(chan net.Conn, 100)
		s := kit.Rove(t, rover.WithDialer(hang(release, sockets)), rover.WithMaxInFlight(1))
		down, outcomes := kit.Watch[*rover.UnreachableError](s.Unreachable()), kit.Watch[rover.Outcome](s.Outcomes())
		kit.Start(t, s)
		time.Sleep(5*time.Second + 99*time.Millisecond)
		kit.Equal(t, "within the grace", len(down.Seen()), 0)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		kit.Equal(t, "behind the grace", len(down.Seen()), 1)
		err := down.Seen()[0]
		if timeout, ok := err.Err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("not a timeout: %v", err)
		}
		kit.Equal(t, "took", err.Took, 5100*time.Millisecond)
		kit.Equal(t, "address", err.Addr, kit.A.Addr())
		kit.Equal(t, "in flight", s.Stats().InFlight, 0)
		time.Sleep(time.Second) // the tick at 6 s
		wantStats(t, s, rover.Stats{Ticks: 7, Busy: 5, Attempts: 2, InFlight: 1, Unreachable: 1})
		begun := time.Now()
		s.Stop()
		if took := time.Since(begun); took > 5100*time.Millisecond {
			t.Errorf("Stop took %v", took)
		}
		wantStats(t, s, rover.Stats{Ticks: 7, Busy: 5, Attempts: 2, Unreachable: 1, Aborted: 1})
		before := len(outcomes.Seen())
		returnAll(t, 2, release, sockets)
		kit.Equal(t, "outcomes of what came back late", len(outcomes.Seen())-before, 0)
	})
}

// A dialer that returns within its grace is what it returns, and no timeout of ours.
func TestADialerMayReturnWithinItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithInterval(time.Hour), rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond)
			return nil, kit.ErrOdd
		})))
		down := kit.Watch[*rover.UnreachableError](s.Unreachable())
		kit.Start(t, s)
		time.Sleep(time.Minute)
		kit.Equal(t, "events", len(down.Seen()), 1)
		kit.Equal(t, "took", down.Seen()[0].Took, 5050*time.Millisecond)
		wantStats(t, s, rover.Stats{Ticks: 1, Attempts: 1, Unreachable: 1})
	})
}

// Shutdown leaves behind what hangs when its context ends, and says so.
func TestShutdownIsBounded(t *testing.T) {
	t.Run("a dialer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release, sockets := make(chan struct{}), make(chan net.Conn, 100)
			s := kit.Rove(t, rover.WithDialer(hang(release, sockets)))
			kit.Start(t, s)
			time.Sleep(2500 * time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			begun := time.Now()
			err := s.Shutdown(ctx)
			kit.Equal(t, "took", time.Since(begun), time.Second)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "left 3 dials behind") {
				t.Error(err)
			}
			wantStats(t, s, rover.Stats{Ticks: 3, Attempts: 3, Aborted: 3})
			kit.Check(t, s.Shutdown(ctx)) // all is over: nothing to say
			s.Stop()
			returnAll(t, 3, release, sockets)
		})
	})
	t.Run("a dialer that is past its timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release, sockets := make(chan struct{}), make(chan net.Conn, 100)
			s := kit.Rove(t, rover.WithDialer(hang(release, sockets)), rover.WithInterval(time.Hour))
			kit.Start(t, s)
			time.Sleep(5050 * time.Millisecond) // in its grace
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			begun := time.Now()
			if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "left 1 dials behind") {
				t.Error(err)
			}
			kit.Equal(t, "took", time.Since(begun), 0)
			returnAll(t, 1, release, sockets)
		})
	})
	t.Run("a Pick", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			s := kit.Rove(t, rover.WithPick(func(int) int { <-release; return 0 }))
			kit.Start(t, s)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			begun := time.Now()
			err := s.Shutdown(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Pick") {
				t.Error(err)
			}
			kit.Equal(t, "took", time.Since(begun), 1100*time.Millisecond)
			close(release)
			s.Stop()
		})
	})
	t.Run("nothing, with a context that has ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := &kit.SlotDialer{}
			s := kit.Rove(t, rover.WithDialer(g))
			kit.Start(t, s)
			time.Sleep(2500 * time.Millisecond)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			kit.Check(t, s.Shutdown(ctx))
			kit.Check(t, s.Shutdown(ctx))
			synctest.Wait()
			kit.Equal(t, "sockets", g.Connected.Load(), 0)
		})
	})
	t.Run("before Start", func(t *testing.T) {
		s := kit.Rove(t)
		kit.Check(t, s.Shutdown(t.Context()))
		if err := s.Start(t.Context()); !errors.Is(err, rover.ErrStopped) {
			t.Error(err)
		}
	})
}

// Those who stop at the same time all return, in a bubble too.
func TestStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(10 * time.Millisecond)
			return nil, net.ErrClosed
		})))
		ctx, cancel := context.WithCancel(t.Context())
		kit.Check(t, s.Start(ctx))
		time.Sleep(5 * time.Millisecond)
		cancel() // the first
		synctest.Wait()
		returned := make(chan error, 3)
		go func() { s.Stop(); returned <- nil }()
		go func() { returned <- s.Shutdown(context.Background()) }()
		bounded, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		go func() { returned <- s.Shutdown(bounded) }()
		err := errors.Join(<-returned, <-returned, <-returned) // in whatever order
		if all, ok := err.(interface{ Unwrap() []error }); !ok || len(all.Unwrap()) != 1 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("returned %v, want the error of the bounded one", err)
		}
		kit.Equal(t, "aborted", s.Stats().Aborted, 1)
		time.Sleep(time.Second) // the dialer returns
	})
}
