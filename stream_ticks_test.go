package rover_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// A tick that is skipped does not use up a server's turn.
func TestABusyTickPicksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		picks := 0
		s := kit.Rove(t, rover.WithMaxInFlight(1), rover.WithDialTimeout(time.Hour), rover.WithPick(func(n int) int { picks++; return 0 }),
			rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() })))
		kit.Start(t, s)
		time.Sleep(4500 * time.Millisecond)
		s.Stop()
		if n := s.Stats(); picks != n.Attempts {
			t.Errorf("%d picks for %d attempts, %d busy", picks, n.Attempts, n.Busy)
		}
	})
}

// Ticks without a pause do not pile up goroutines.
func TestAFloodOfTicks(t *testing.T) {
	s := kit.Rove(t, rover.WithMaxInFlight(1), rover.WithTicks(rxgo.Range(0, 300000)),
		rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() })))
	s.Errors().ForEach(func(any) {}, nil, func() {})
	most := 0
	kit.Start(t, s)
	for s.Stats().Busy < 290000 {
		most = max(most, runtime.NumGoroutine())
		runtime.Gosched()
	}
	t.Log("goroutines at most:", most)
	if most > 100 {
		t.Error("goroutines at most:", most)
	}
}
