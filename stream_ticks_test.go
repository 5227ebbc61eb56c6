package rover_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"slices"
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

// Ticks that find no server are owed: one attempt makes up for them, for the last
// of them, as soon as a server comes.
func TestOwedTicks(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		outcomes, failures := kit.Watch[rover.Outcome](s.Outcomes()), kit.Watch[error](s.Errors())
		kit.Start(t, s)
		time.Sleep(2500 * time.Millisecond)
		wantStats(t, s, rover.Stats{NoServers: 2, Owed: 1})
		kit.Check(t, s.AddServer("a", kit.A))
		synctest.Wait()
		wantStats(t, s, rover.Stats{NoServers: 2, Attempts: 1, Connections: 1, Open: 1})
		if all := failures.Seen(); len(all) != 1 || all[0] != rover.ErrNoServers {
			t.Errorf("errors %v", all)
		}
		all := outcomes.Seen()
		if len(all) != 3 {
			t.Fatalf("outcomes %v", all)
		}
		for tick, o := range all {
			var want error
			if tick < 2 {
				want = rover.ErrNoServers
			}
			if o.Tick != tick || o.Err != want {
				t.Errorf("tick %d: %+v", tick, o)
			}
		}
	}, rover.WithServers(nil))
}

// The server of an attempt under way leaves the set, or another one takes its id:
// nothing is emitted but the outcome, and the socket is closed.
func TestAServerDroppedInMidAttempt(t *testing.T) {
	for name, change := range map[string]func(s *rover.Stream) bool{
		"DropServer": func(s *rover.Stream) bool { return s.DropServer("a") },
		"DropIf":     func(s *rover.Stream) bool { return !s.DropIf("a", kit.B) && s.DropIf("a", kit.A) },
		"AddServer":  func(s *rover.Stream) bool { return s.AddServer("a", kit.B) == nil },
		"SetServers": func(s *rover.Stream) bool { return s.SetServers(nil) == nil },
	} {
		for end, line := range map[string]string{"slot": "3\r\n", "nonsense": "HELLO", "nothing": ""} {
			t.Run(name+", "+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, server := net.Pipe()
					defer server.Close()
					s := kit.Rove(t, rover.WithInterval(time.Hour),
						rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { return client, nil })))
					outcomes := kit.Watch[rover.Outcome](s.Outcomes())
					all, err := collectAll(s)
					kit.Start(t, s)
					time.Sleep(time.Second)
					if !change(s) {
						t.Fatal("the set has not changed")
					}
					go func() { _, _ = server.Write([]byte(line)); _, _ = io.Copy(io.Discard, server); server.Close() }()
					time.Sleep(10 * time.Second)
					if _, err := client.Read(make([]byte, 1)); err != io.ErrClosedPipe {
						t.Error("the socket is open:", err)
					}
					s.Stop()
					if all, err := all(), err(); len(all) != 0 || err != nil {
						t.Errorf("emitted %v, %v", all, err)
					}
					if all := outcomes.Seen(); len(all) != 1 || all[0].Err != rover.ErrDropped || all[0].ID != "a" || all[0].Server != kit.A {
						t.Errorf("outcomes %+v", all)
					}
					wantStats(t, s, rover.Stats{Attempts: 1, Aborted: 1})
				})
			})
		}
	}
}

// A full queue of errors gives up its oldest, which is counted.
func TestAFullQueueOfErrors(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		unread := s.Unreachable().Observe(rxgo.WithBufferedChannel(2))
		kit.Start(t, s)
		time.Sleep(5900 * time.Millisecond)
		s.Stop()
		wantStats(t, s, rover.Stats{Attempts: 6, Unreachable: 6, Undelivered: 4})
		var took []time.Duration
		for item := range unread {
			took = append(took, item.V.(*rover.UnreachableError).Took)
		}
		if !slices.Equal(took, []time.Duration{400 * time.Millisecond, 500 * time.Millisecond}) {
			t.Errorf("got those that took %v, want the two newest", took)
		}
	}, rover.WithDialer(slower()))
}

// slower fails, and takes a tenth of a second more each time.
func slower() rover.Dialer {
	n := 0
	return kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
		time.Sleep(time.Duration(n) * 100 * time.Millisecond)
		n++
		return nil, kit.ErrOdd
	})
}
