package rover_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

func TestStartOnce(t *testing.T) {
	s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}))
	kit.Start(t, s)
	if err := s.Start(t.Context()); !errors.Is(err, rover.ErrStarted) {
		t.Error(err)
	}
	s.Stop()
	s.Stop()
	if err := s.Start(t.Context()); !errors.Is(err, rover.ErrStopped) {
		t.Error(err)
	}
	never := kit.Rove(t)
	never.Stop()
	if err := never.Start(t.Context()); !errors.Is(err, rover.ErrStopped) {
		t.Error(err)
	}
	if _, ok := <-never.Connections().Observe(); ok {
		t.Error("an item from a stopped stream")
	}
}

func TestTheContextsEndIsAStop(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		ctx, cancel := context.WithCancel(t.Context())
		seen := kit.Watch[*rover.Connection](s.Connections())
		if err := s.Start(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		cancel()
		<-seen.Done
		synctest.Wait()
		wantStats(t, s, rover.Stats{Attempts: 2, Connections: 2, Declined: 2})
		if err := s.Start(t.Context()); !errors.Is(err, rover.ErrStopped) {
			t.Error(err)
		}
	})
}

func TestAContextThatHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		seen := kit.Watch[*rover.Connection](s.Connections())
		if err := s.Start(ctx); err != nil {
			t.Fatal(err)
		}
		<-seen.Done
		wantStats(t, s, rover.Stats{})
	})
}

// The end of the stream in mid-attempt, whatever ends it and whatever the attempt
// is waiting for: nothing is emitted and the socket is closed.
func TestStopInMidAttempt(t *testing.T) {
	const end = 500 * time.Millisecond
	ends := map[string]func(s *rover.Stream, cancel func()){
		"Stop":     func(s *rover.Stream, _ func()) { s.Stop() },
		"cancel":   func(_ *rover.Stream, cancel func()) { cancel() },
		"deadline": func(*rover.Stream, func()) {},
	}
	for name, dial := range map[string]func(client, server net.Conn, ctx context.Context) (net.Conn, error){
		"in the dial": func(_, _ net.Conn, ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"in a dial that succeeds all the same": func(client, _ net.Conn, ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return client, nil
		},
		"in a dial that fails with something else": func(_, _ net.Conn, ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, io.ErrClosedPipe
		},
		"before the line": func(client, _ net.Conn, _ context.Context) (net.Conn, error) {
			return client, nil
		},
		"within the line": func(client, server net.Conn, _ context.Context) (net.Conn, error) {
			go func() { _, _ = server.Write([]byte("13\r")) }()
			return client, nil
		},
		"with the whole line": func(client, server net.Conn, ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			go func() { _, _ = server.Write([]byte("13\r\n")) }()
			return client, nil
		},
		"with a wrong line": func(client, server net.Conn, ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			go func() { _, _ = server.Write([]byte("HELLO")) }()
			return client, nil
		},
	} {
		for way, ends := range ends {
			t.Run(name+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, server := net.Pipe()
					defer server.Close()
					defer client.Close()
					made := false
					s := kit.Rove(t, rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
						conn, err := dial(client, server, ctx)
						made = conn != nil
						return conn, err
					})))
					all, err := collectAll(s)
					outcomes := kit.Watch[rover.Outcome](s.Outcomes())
					ctx, cancel := context.WithCancel(t.Context())
					if way == "deadline" {
						ctx, cancel = context.WithTimeout(t.Context(), end)
					}
					defer cancel()
					kit.Check(t, s.Start(ctx))
					begun := time.Now()
					time.Sleep(end)
					ends(s, cancel)
					if all, err := all(), err(); len(all) != 0 || err != nil {
						t.Errorf("emitted %v, %v", all, err)
					}
					if <-outcomes.Done; len(outcomes.Seen()) != 0 {
						t.Errorf("outcomes %v", outcomes.Seen())
					}
					if took := time.Since(begun); took != end {
						t.Errorf("it ended after %v", took)
					}
					wantStats(t, s, rover.Stats{Attempts: 1, Aborted: 1})
					if made {
						if _, err := io.Copy(io.Discard, server); err != nil {
							t.Error("the socket is open:", err)
						}
					}
				})
			})
		}
	}
}

// The deadline of Start's context behind an attempt ends its offer as Stop does.
func TestADeadlineBehindAnAttempt(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		all, err := collectAll(s)
		kit.Check(t, s.Start(ctx))
		seen, failed := all(), err()
		if len(seen) != 1 || failed != nil {
			t.Fatalf("emitted %v, %v", seen, failed)
		}
		if _, err := seen[0].(*rover.Connection).Keep(); !isOver(err, "stopped") {
			t.Error(err)
		}
		wantStats(t, s, rover.Stats{Attempts: 1, Connections: 1, Declined: 1})
	})
}

// collectAll waits for the end of all three streams and gives their items.
func collectAll(s *rover.Stream) (items func() []any, err func() error) {
	all := rover.Merge([]rxgo.Observable{s.Connections(), s.Unreachable(), s.Errors()})
	var got []any
	var failed error
	done := all.ForEach(func(v any) { got = append(got, v) }, func(err error) { failed = err }, func() {})
	return func() []any { <-done; return got }, func() error { <-done; return failed }
}

// A subscriber that never returns, and one that never reads, cost the others
// nothing, and Stop returns.
func TestStalledSubscribers(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		stuck := make(chan struct{})
		stalled := s.Connections().ForEach(func(any) { <-stuck }, nil, func() {})
		unread := s.Connections().Observe()
		s.Connections().Filter(all).Map(same).Observe()
		s.Connections().Scan(func(_ context.Context, _, b any) (any, error) { return b, nil }).Observe()
		seen := kit.Watch[*rover.Connection](s.Connections())
		kit.Start(t, s)
		time.Sleep(200*time.Second + time.Second/2)
		if len(seen.Seen()) != 201 {
			t.Errorf("a good subscriber saw %d of 201", len(seen.Seen()))
		}
		s.Stop()
		select {
		case <-stalled:
			t.Error("the callback has not returned, and the subscription is over")
		default:
		}
		close(stuck)
		<-stalled
		for item := range unread { // those in its queue were over
			t.Errorf("who did not read got %v after Stop", item.V)
		}
	})
}

func same(_ context.Context, v any) (any, error) { return v, nil }

// Subscribe, Start: the first event is never missed, a thousand times over.
func TestTheFirstEventIsNeverMissed(t *testing.T) {
	times := 1000
	if testing.Short() {
		times = 50
	}
	for name, subscribe := range map[string]func(rxgo.Observable) <-chan rxgo.Item{
		"Observe": func(o rxgo.Observable) <-chan rxgo.Item { return o.Observe() },
		"ForEach": func(o rxgo.Observable) <-chan rxgo.Item {
			out := make(chan rxgo.Item, 1)
			o.ForEach(func(v any) { out <- rxgo.Of(v) }, nil, func() {})
			return out
		},
		"Filter": func(o rxgo.Observable) <-chan rxgo.Item { return o.Filter(all).Observe() },
		"Map":    func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(same).Observe() },
		"FlatMap": func(o rxgo.Observable) <-chan rxgo.Item {
			return o.FlatMap(func(i rxgo.Item) rxgo.Observable { return rxgo.Just(i.V)() }).Observe()
		},
		"Accept": func(o rxgo.Observable) <-chan rxgo.Item { return rover.Accept(o, all).Observe() },
		"Take":   func(o rxgo.Observable) <-chan rxgo.Item { return o.Take(1).Observe() },
		"Share":  func(o rxgo.Observable) <-chan rxgo.Item { return rover.Share(o).Observe() },
		"Scan": func(o rxgo.Observable) <-chan rxgo.Item {
			return o.Scan(func(_ context.Context, _, b any) (any, error) { return b, nil }).Observe()
		},
		"Filter with a pool": func(o rxgo.Observable) <-chan rxgo.Item {
			return o.Filter(all, rxgo.WithPool(2)).Observe()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range times {
				s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}), rover.WithServers(kit.One))
				connections := subscribe(s.Connections())
				kit.Start(t, s)
				if _, ok := <-connections; !ok {
					t.Fatal("missed")
				}
				s.Stop()

				s = kit.Rove(t, rover.WithServers(nil))
				failures := subscribe(s.Errors())
				kit.Start(t, s)
				if item := <-failures; item.V != rover.ErrNoServers && item.E != rover.ErrNoServers { // rxgo.Just makes it an E
					t.Fatal("missed", item)
				}
				s.Stop()
			}
		})
	}
}

// Those who leave, in whatever way, leave nothing behind, with a context and
// without.
func TestSubscribersLeaveNothingBehind(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		kit.Start(t, s)
		synctest.Wait()
		before := runtime.NumGoroutine()
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			s.Connections().Observe(rxgo.WithContext(ctx))
			s.Errors().Filter(all).Observe(rxgo.WithContext(ctx))
			s.Unreachable().ForEach(func(any) {}, nil, func() {}, rxgo.WithContext(ctx))
			s.Errors().Scan(func(_ context.Context, _, b any) (any, error) { return b, nil }).Observe(rxgo.WithContext(ctx))
			s.Connections().Take(2).ForEach(func(any) {}, nil, func() {})
			first := s.Connections().First()
			for range rover.Events[*rover.Connection](ctx, s.Connections()) {
				break
			}
			time.Sleep(2 * time.Second)
			if item, err := first.Get(); err != nil || item.V == nil {
				t.Fatal(item, err)
			}
			cancel()
		}
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before+10 { // the sockets on offer have one each
			t.Errorf("%d goroutines before, %d after", before, after)
		}
	})
}

// Stop may be called from a callback, from many places, and while all else
// goes on.
func TestStopFromAnywhere(t *testing.T) {
	for range 50 {
		s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}), rover.WithInterval(20*time.Microsecond))
		s.Connections().ForEach(func(v any) {
			if v.(*rover.Connection).Slot >= 3 { // 3 itself may find the queue full
				s.Stop()
			}
		}, nil, func() {})
		kit.Start(t, s)
		var wg sync.WaitGroup
		done := s.Connections().Run()
		for i := range 4 {
			wg.Go(func() {
				id := fmt.Sprint("b", i)
				for range 50 {
					_ = s.AddServer(id, rover.Server{Host: "10.0.0.2", Port: 1})
					kit.Conserved(t, s)
					s.Servers()
					s.DropServer(id)
				}
				<-done
				s.Stop()
			})
		}
		wg.Wait()
	}
}
