package rover_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// outcomesOf collects what became of each tick.
func outcomesOf(s *rover.Stream) *kit.Watcher[rover.Outcome] {
	return kit.Watch[rover.Outcome](s.Outcomes())
}

// The first tick does not wait for the next one where the set comes from a
// source: it is made up for as soon as the set is there, without an error.
func TestTheFirstTickWaitsForTheFirstSet(t *testing.T) {
	for name, delay := range map[string]time.Duration{"at once": 0, "after a while": 300 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sets := rxgo.Create([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
					time.Sleep(delay)
					next <- rxgo.Of(kit.One)
				}})
				s := kit.Rove(t, rover.WithServers(nil), rover.WithServerSets(sets), rover.WithDialer(refusing{}))
				failed, outcomes := kit.Watch[error](s.Errors()), outcomesOf(s)
				begun := time.Now()
				kit.Start(t, s)
				time.Sleep(2500 * time.Millisecond)
				var at []time.Duration
				for _, o := range outcomes.Seen() {
					at = append(at, o.Begun.Sub(begun))
				}
				if want := []time.Duration{delay, time.Second, 2 * time.Second}; !slices.Equal(at, want) {
					t.Errorf("attempts at %v, want %v", at, want)
				}
				if all := failed.Seen(); len(all) > 0 {
					t.Errorf("emitted %v", all)
				}
				wantStats(t, s, rover.Stats{Ticks: 3, Attempts: 3, Unreachable: 3})
			})
		})
	}
}

// However many ticks have found no server, one attempt makes up for them: the
// last one's. The others are skipped as each next one comes.
func TestSeveralOwedTicksAreOneAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithServers(nil), rover.WithDialer(refusing{}))
		failed, outcomes := kit.Watch[error](s.Errors()), outcomesOf(s)
		kit.Start(t, s)
		time.Sleep(3500 * time.Millisecond)
		wantStats(t, s, rover.Stats{Ticks: 4, NoServers: 3, Owed: 1})
		kit.Check(t, s.AddServer("a", kit.A))
		synctest.Wait()
		wantStats(t, s, rover.Stats{Ticks: 4, NoServers: 3, Attempts: 1, Unreachable: 1})
		kit.Check(t, s.AddServer("b", kit.B)) // nothing is owed any more
		synctest.Wait()
		kit.Equal(t, "attempts", s.Stats().Attempts, 1)
		all := outcomes.Seen()
		kit.Equal(t, "outcomes", len(all), 4)
		for i, o := range all[:3] {
			if o.Tick != i || o.Err != rover.ErrNoServers || o.Took != time.Second || o.ID != "" || o.Server != (rover.Server{}) {
				t.Errorf("outcome %d is %+v", i, o)
			}
		}
		if o := all[3]; o.Tick != 3 || o.ID != "a" || !errors.Is(o.Err, syscall.ECONNREFUSED) {
			t.Errorf("the attempt's is %+v", o)
		}
		if all := failed.Seen(); len(all) != 1 || all[0] != rover.ErrNoServers {
			t.Errorf("emitted %v, want ErrNoServers once", all)
		}

		s.DropServer("a") // another time without: once more
		s.DropServer("b")
		time.Sleep(2 * time.Second)
		kit.Equal(t, "errors", len(failed.Seen()), 2)
		wantStats(t, s, rover.Stats{Ticks: 6, NoServers: 4, Owed: 1, Attempts: 1, Unreachable: 1})
		s.Stop()
		wantStats(t, s, rover.Stats{Ticks: 6, NoServers: 5, Attempts: 1, Unreachable: 1})
	})
}

// No tick of a source is lost, however many come at once: each is an attempt,
// or one that was skipped, with an outcome.
func TestEachTickOfABurstIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := hot.NewSubject()
		s := kit.Rove(t, rover.WithDialer(kit.DialFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})), rover.WithTicks(ticks.Observable()))
		failed, outcomes := s.Errors().Observe(rxgo.WithBufferedChannel(200)), outcomesOf(s)
		kit.Start(t, s)
		for i := range 100 {
			ticks.Publish(i)
		}
		synctest.Wait()
		wantStats(t, s, rover.Stats{Ticks: 100, Busy: 84, Attempts: 16, InFlight: 16})
		kit.Equal(t, "errors", len(failed), 84)
		if all := outcomes.Seen(); len(all) != 84 || all[0].Err != rover.ErrBusy || all[0].Tick != 16 || all[0].ID != "" {
			t.Errorf("%d outcomes", len(all))
		}
		time.Sleep(6 * time.Second)
		kit.Equal(t, "outcomes", len(outcomes.Seen()), 100)
	})
}

// Ticks that the interval could not make, for Pick took too long, are counted.
func TestMissedTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := 8
		s := kit.Rove(t, rover.WithDialer(refusing{}), rover.WithPick(func(int) int {
			if slow--; slow >= 0 {
				time.Sleep(2500 * time.Millisecond)
			}
			return 0
		}))
		kit.Start(t, s)
		time.Sleep(60*time.Second + 100*time.Millisecond)
		n := s.Stats()
		kit.Equal(t, "ticks and missed ones", n.Ticks+n.Missed, 61)
		kit.Equal(t, "missed", n.Missed, 11) // 20 s with 8 of 20 ticks, and one that waited
		s.Stop()
	})
}

// A Pick that returns nonsense, or panics, costs its tick.
func TestBadPicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returns := []int{-1, 1, 0}
		i := 0
		s := kit.Rove(t, rover.WithDialer(refusing{}), rover.WithPick(func(int) int {
			if i++; i == 4 {
				panic(kit.ErrOdd)
			}
			return returns[i-1]
		}))
		failed, outcomes := kit.Watch[error](s.Errors()), outcomesOf(s)
		kit.Start(t, s)
		time.Sleep(3500 * time.Millisecond)
		wantStats(t, s, rover.Stats{Ticks: 4, BadPicks: 3, Attempts: 1, Unreachable: 1})
		kit.Equal(t, "errors", len(failed.Seen()), 3)
		kit.Equal(t, "text", failed.Seen()[0].Error(), "rover: pick returned -1 for 1 servers, want 0 to 0")
		for i, o := range outcomes.Seen() {
			if bad := o.ID == ""; bad != (i != 2) || o.Err == nil {
				t.Errorf("outcome %d is %+v", i, o)
			}
		}
		s.Stop()
	})
}

// To names the server; one that is not in the set is named by the error.
func TestTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := hot.NewSubject()
		picked := 0
		s := kit.Rove(t, rover.WithDialer(refusing{}), rover.WithTicks(ticks.Observable()),
			rover.WithServers(map[string]rover.Server{"a": kit.A, "b": kit.B}), rover.WithPick(func(int) int { picked++; return 0 }))
		failed, outcomes := kit.Watch[error](s.Errors()), outcomesOf(s)
		kit.Start(t, s)
		for _, tick := range []any{rover.To("b"), rover.To("c"), rover.To(""), "a"} {
			ticks.Publish(tick)
			synctest.Wait()
		}
		all := outcomes.Seen()
		kit.Equal(t, "outcomes", len(all), 4)
		if o := all[0]; o.ID != "b" || o.Server != kit.B || o.Tick != rover.To("b") || o.Addr != kit.B.Addr() {
			t.Errorf("a known one: %+v", o)
		}
		for i, id := range map[int]string{1: `"c"`, 2: `""`} {
			if o := all[i]; !errors.Is(o.Err, rover.ErrNoServers) || !strings.Contains(o.Err.Error(), id) || o.ID != "" || o.Server != (rover.Server{}) {
				t.Errorf("an unknown one: %+v", o)
			}
		}
		kit.Equal(t, "errors", len(failed.Seen()), 2)
		kit.Equal(t, "picked", picked, 1)
		wantStats(t, s, rover.Stats{Ticks: 4, NoServers: 2, Attempts: 2, Unreachable: 2})
		s.Stop()
	})
}

// An outcome says all that is known of its attempt.
func TestOutcomesFields(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 7}
	for name, test := range map[string]struct {
		dial func() (net.Conn, error)
		addr string
		took time.Duration
		slot int
		is   func(error) bool
	}{
		"a slot": {
			dial: func() (net.Conn, error) { return said("12\r\n", time.Second, at), nil },
			addr: "10.0.0.9:7", took: time.Second, slot: 12, is: func(err error) bool { return err == nil },
		},
		"no line": {
			dial: func() (net.Conn, error) { return said("what", 2*time.Second, at), nil },
			addr: "10.0.0.9:7", took: 2 * time.Second, is: func(err error) bool {
				protocol, ok := err.(*rover.ProtocolError)
				return ok && protocol.Addr == "10.0.0.9:7" && protocol.Took == 2*time.Second && errors.Is(err, rover.ErrProtocol)
			},
		},
		"refused elsewhere": {
			dial: func() (net.Conn, error) {
				time.Sleep(time.Millisecond)
				return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: syscall.ECONNREFUSED}
			},
			addr: "10.0.0.9:7", took: time.Millisecond, is: func(err error) bool {
				down, ok := err.(*rover.UnreachableError)
				return ok && down.Addr == "10.0.0.9:7" && down.Took == time.Millisecond && errors.Is(err, syscall.ECONNREFUSED)
			},
		},
		"refused": {
			dial: func() (net.Conn, error) { return nil, syscall.ECONNREFUSED },
			addr: kit.A.Addr(), is: func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) },
		},
		"no descriptor": {
			dial: func() (net.Conn, error) { time.Sleep(3 * time.Nanosecond); return nil, syscall.EMFILE },
			addr: kit.A.Addr(), took: 3, is: func(err error) bool {
				local, ok := err.(*rover.LocalError)
				return ok && local.Took == 3 && local.Addr == kit.A.Addr() && errors.Is(err, rover.ErrResources) && errors.Is(err, syscall.EMFILE)
			},
		},
		"a panic": {
			dial: func() (net.Conn, error) { panic(kit.ErrOdd) },
			is:   func(err error) bool { return errors.Is(err, kit.ErrOdd) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := kit.Rove(t, rover.WithInterval(time.Hour), rover.WithTicks(rxgo.Just("tick")()),
					rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { return test.dial() })))
				outcomes := outcomesOf(s)
				begun := time.Now()
				kit.Start(t, s)
				time.Sleep(time.Minute)
				all := outcomes.Seen()
				kit.Equal(t, "outcomes", len(all), 1)
				o := all[0]
				if !test.is(o.Err) {
					t.Errorf("error %v", o.Err)
				}
				o.Err = nil
				kit.Equal(t, "outcome", o, rover.Outcome{Tick: "tick", ID: "a", Server: kit.A, Addr: test.addr, Slot: test.slot, Begun: begun, Took: test.took})
				s.Stop()
			})
		})
	}
}

// said is a connection to an address, whose server says something after a while.
func said(text string, after time.Duration, addr net.Addr) net.Conn {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		time.Sleep(after)
		_, _ = io.WriteString(server, text)
		_, _ = io.Copy(io.Discard, server)
	}()
	return peer{client, addr}
}

type peer struct {
	net.Conn
	addr net.Addr
}

func (p peer) RemoteAddr() net.Addr { return p.addr }

// A subscriber to Outcomes that reads slowly loses none of 10,000.
func TestOutcomesLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithInterval(time.Millisecond), rover.WithDialer(refusing{}))
		var n atomic.Int64
		done := s.Outcomes().ForEach(func(v any) {
			if want := n.Add(1) - 1; v.(rover.Outcome).Tick != int(want) {
				t.Errorf("tick %v, want %d", v.(rover.Outcome).Tick, want)
			}
			time.Sleep(3 * time.Millisecond)
		}, func(error) {}, func() {})
		kit.Start(t, s)
		time.Sleep(10*time.Second - time.Microsecond)
		s.Stop()
		<-done
		kit.Equal(t, "attempts", s.Stats().Attempts, 10_000)
		kit.Equal(t, "outcomes", n.Load(), 10_000)
	})
}
