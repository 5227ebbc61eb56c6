package roam_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/roam"
	"github.com/reactivex/rxgo/v2"
)

func TestPolicyOptions(t *testing.T) {
	for want, opt := range map[string]roam.Option{
		"roam: idle must be at least 1 interval, got 0":   roam.WithIdle(0),
		"roam: idle must be at least 1 interval, got 0.5": roam.WithIdle(0.5),
		"roam: burst must be at least 1, got 0":           roam.WithBurst(0),
		"roam: burst must be at least 1, got -1":          roam.WithBurst(-1),
		"roam: spread must be 0 or more, got -1ns":        roam.WithSpread(-1),
		"roam: interval must be positive, got 0s":         roam.WithInterval(0),
		"roam: max must be at least 1, got 0":             roam.WithMax(0),
		"roam: random must not be nil":                    roam.WithRandom(nil),
		"roam: option 1 of 1 is nil":                      nil,
	} {
		p, err := roam.New(opt)
		if p != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want the error %q", p, err, want)
		}
	}
	for _, opt := range []roam.Option{roam.WithIdle(1), roam.WithBurst(1), roam.WithSpread(0), roam.WithInterval(1), roam.WithMax(1)} {
		if _, err := roam.New(opt); err != nil {
			t.Error(err)
		}
	}
}

// A bench has a policy and all that it learns from, but for what the test
// leaves out.
type bench struct {
	*roam.Policy
	outcomes, sets, changes *hot.Subject
	learning                rxgo.Disposed

	mu    sync.Mutex
	ticks []any
	at    []time.Duration
	begun time.Time
	leave context.CancelFunc
}

func newBench(t *testing.T, servers int, opts ...roam.Option) *bench {
	b := &bench{Policy: kit.Must(roam.New(opts...))(t), begun: time.Now()}
	b.outcomes, b.sets, b.changes = hot.NewSubject(), hot.NewSubject(), hot.NewSubject()
	b.learning = b.Learn(context.Background(), b.outcomes.Observable(), b.sets.Observable(), b.changes.Observable())
	t.Cleanup(func() {
		for _, s := range []*hot.Subject{b.outcomes, b.sets, b.changes} {
			s.Complete()
		}
		<-b.learning
		b.leave()
		synctest.Wait()
	})
	set := map[string]rover.Server{}
	for i := range servers {
		set[fmt.Sprint("s", i)] = kit.A
	}
	b.sets.Publish(rover.SetChange{Added: set})
	synctest.Wait()
	return b
}

// start subscribes, and has do follow each tick.
func (b *bench) start(do func(tick any)) {
	ctx, cancel := context.WithCancel(context.Background())
	b.leave = cancel
	b.Attempts().ForEach(func(tick any) {
		b.mu.Lock()
		b.ticks, b.at = append(b.ticks, tick), append(b.at, time.Since(b.begun))
		b.mu.Unlock()
		if do != nil {
			do(tick)
		}
	}, func(error) {}, func() {}, rxgo.WithContext(ctx))
}

func (b *bench) seen() int {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ticks)
}

// times are when the ticks came.
func (b *bench) times() []time.Duration {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.at)
}

// bubble is a test in virtual time.
func bubble(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }

// full has every attempt at once offered slot 0, and a pool of one keep the first.
func (b *bench) full() func(any) {
	kept := false
	return func(tick any) {
		var id string
		fmt.Sscanf(fmt.Sprint(tick), "to %q", &id)
		b.outcomes.Publish(rover.Outcome{Tick: tick, ID: id, Server: kit.A})
		v := roam.View{Max: 1}
		if kept {
			v.Kept = []roam.Held{{ID: "s0"}}
		}
		if b.Choose(v, rover.NewConnection(id, kit.A, 0, nil)).Kept() {
			kept = true
			b.changes.Publish(roam.Change{Kind: roam.Kept, Held: roam.Held{ID: id}})
		}
	}
}

// The first dial is at once. From then on policies that were started together
// are apart.
func TestPoliciesDialApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var all []*bench
		for range 200 {
			b := newBench(t, 10)
			b.start(b.full())
			all = append(all, b)
		}
		for _, b := range all {
			if at := b.times(); len(at) == 0 || at[0] > 0 {
				t.Fatalf("the first dials were at %v", at)
			}
		}
		time.Sleep(40 * time.Second)
		in := map[time.Duration]int{}
		late := 0
		for _, b := range all {
			for _, at := range b.times() {
				if at >= 10*time.Second {
					in[at/(10*time.Millisecond)]++
					late++
				}
			}
		}
		for at, n := range in {
			if n > 20 {
				t.Errorf("%d of 200 dial in one hundredth of a second, at %v", n, at*10*time.Millisecond)
			}
		}
		if late < 200 {
			t.Errorf("only %d dials in 30 s", late)
		}
	})
}

func TestSpread(t *testing.T) {
	bubble(t, func(t *testing.T) {
		at := map[time.Duration]bool{}
		for range 10 {
			b := newBench(t, 3, roam.WithSpread(10*time.Second))
			b.start(nil)
			time.Sleep(10 * time.Second)
			if b.seen() == 0 {
				t.Fatal("no dial within the spread")
			}
			at[b.times()[0]] = true
		}
		if len(at) < 10 {
			t.Error("first dials at one instant:", at)
		}
	})
}

// Whatever becomes of attempts, or does not, there are more.
func TestPolicySurvives(t *testing.T) {
	wrapped := fmt.Errorf("wrapped: %w", rover.ErrNoServers)
	say := func(b *bench, o rover.Outcome) func(any) {
		return func(tick any) {
			o := o
			o.Tick = tick
			fmt.Sscanf(fmt.Sprint(tick), "to %q", &o.ID)
			b.outcomes.Publish(o)
		}
	}
	for name, after := range map[string]func(b *bench) func(any){
		"no outcome":  func(*bench) func(any) { return nil },
		"busy":        func(b *bench) func(any) { return say(b, rover.Outcome{Err: rover.ErrBusy}) },
		"dropped":     func(b *bench) func(any) { return say(b, rover.Outcome{Err: rover.ErrDropped}) },
		"no servers":  func(b *bench) func(any) { return say(b, rover.Outcome{Err: wrapped}) },
		"unreachable": func(b *bench) func(any) { return say(b, rover.Outcome{Err: &rover.UnreachableError{Err: kit.ErrOdd}}) },
		"local":       func(b *bench) func(any) { return say(b, rover.Outcome{Err: &rover.LocalError{Err: kit.ErrOdd}}) },
		"a panic":     func(b *bench) func(any) { return say(b, rover.Outcome{Err: &rover.PanicError{Value: 1}}) },
		"no verdict":  func(b *bench) func(any) { return say(b, rover.Outcome{}) },
		"all is well": func(b *bench) func(any) { return b.full() },
		"another's result": func(b *bench) func(any) {
			return func(any) { b.outcomes.Publish(rover.Outcome{Tick: []int{1}, ID: "s1", Slot: 3}) }
		},
		"of nobody": func(b *bench) func(any) {
			return func(any) { b.outcomes.Publish(rover.Outcome{Tick: 1, ID: "x", Err: errors.New("odd")}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, 5)
				b.start(after(b))
				time.Sleep(100 * time.Second)
				before := b.seen()
				time.Sleep(100 * time.Second)
				more := b.seen() - before
				if more < 4 || more > 100*10 {
					t.Errorf("%d attempts in 100 s", more)
				}
			})
		})
	}
}

// Who leaves gets no more, and there is no timer left; who comes gets more.
func TestAttemptsLeave(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 5)
		time.Sleep(time.Minute)
		b.start(nil)
		if b.seen() == 0 {
			t.Fatal("no dial at once")
		}
		b.leave()
		n := b.seen()
		time.Sleep(time.Minute)
		kit.Equal(t, "attempts without a subscriber", b.seen(), n)
		b.start(nil)
		time.Sleep(time.Minute)
		if b.seen() == n {
			t.Error("no attempts for a new subscriber")
		}
		b.changes.Complete() // the pool is closed
		n = b.seen()
		time.Sleep(time.Minute)
		kit.Equal(t, "attempts after the pool's end", b.seen(), n)
	})
}

// While nobody makes its attempts, a policy keeps what is lower.
func TestChooseWithoutAttempts(t *testing.T) {
	p := kit.Must(roam.New())(t)
	v := roam.View{Max: 2, Kept: []roam.Held{{ID: "a", Slot: 3}, {ID: "b", Slot: 5}}}
	choose := func(id string, slot int) roam.Verdict {
		return p.Choose(v, rover.NewConnection(id, kit.A, slot, nil))
	}
	kit.Equal(t, "higher", choose("c", 6), roam.Verdict{})
	kit.Equal(t, "equal", choose("c", 5), roam.Verdict{})
	kit.Equal(t, "lower", choose("c", 4), roam.Verdict{Choice: roam.Replace, Victim: 1})
	v.Max = 3
	kit.Equal(t, "room", choose("c", 6), roam.Verdict{Choice: roam.Keep})
	v = roam.View{Max: 3, Kept: []roam.Held{{ID: "c", Slot: 4}, {ID: "c", Slot: 4}, {ID: "b", Slot: 5}}}
	kit.Equal(t, "the third of a number", choose("c", 4), roam.Verdict{})
}

// A server under a used id has a past of its own.
func TestPolicyFollowsSets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 0)
		b.start(b.full())
		time.Sleep(time.Minute)
		kit.Equal(t, "attempts without a server", b.seen(), 0)
		b.sets.Publish(rover.SetChange{Added: map[string]rover.Server{"a": kit.A}})
		time.Sleep(time.Millisecond)
		kit.Equal(t, "attempts, a server", b.seen() > 0, true)
		kit.Equal(t, "tick", b.ticks[0], rover.To("a"))
		n := b.seen()
		b.sets.Publish(rover.SetChange{Added: map[string]rover.Server{"a": kit.B}, Dropped: map[string]rover.Server{"a": kit.A}})
		time.Sleep(time.Minute)
		kit.Equal(t, "attempts, another", b.seen() > n, true)
		b.sets.Publish(rover.SetChange{Dropped: map[string]rover.Server{"a": kit.B}})
		synctest.Wait()
		n = b.seen()
		time.Sleep(time.Minute)
		kit.Equal(t, "attempts, gone", b.seen(), n)
	})
}

func TestStates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 5, roam.WithRandom(rand.NewPCG(1, 2)))
		b.start(b.full())
		time.Sleep(10 * time.Minute)
		b.changes.Publish(roam.Change{Kind: roam.Replaced, Held: roam.Held{ID: "s0"}, By: roam.Held{ID: "s1"}})
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		item := <-b.State().Observe(rxgo.WithContext(ctx))
		s := item.V.(roam.State)
		if !s.Settled || s.Stretch <= 1 || s.Estimate != 0 || s.Churn != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// What the pool declines without its choice is known at once: nothing waits for
// a verdict that never comes.
func TestDeclined(t *testing.T) {
	for _, first := range []string{"outcome", "decline"} {
		t.Run(first, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, 3, roam.WithMax(1))
				b.start(nil)
				begun := time.Now()
				for n := range 3 { // each is followed by another, for the pool is short
					kit.Equal(t, "attempts", b.seen(), n+1)
					tick := b.ticks[n]
					var id string
					fmt.Sscanf(fmt.Sprint(tick), "to %q", &id)
					steps := []func(){
						func() { b.outcomes.Publish(rover.Outcome{Tick: tick, ID: id, Slot: 2, Server: kit.A}) },
						func() { b.changes.Publish(roam.Change{Kind: roam.Declined, Held: roam.Held{ID: id, Slot: 2}}) },
					}
					if first == "decline" {
						slices.Reverse(steps)
					}
					for _, step := range steps {
						step()
						synctest.Wait()
					}
				}
				kit.Equal(t, "took", time.Since(begun), 0)
			})
		})
	}
}

// A pool that wants more gets more, and who asks for a server gets a tick.
func TestResizedAndDial(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 3)
		b.start(b.full())
		time.Sleep(time.Minute)
		n := b.seen()
		b.changes.Publish(roam.Change{Kind: roam.Resized, Max: 3})
		if more := b.seen() - n; more < 2 {
			t.Errorf("%d attempts for 2 connections more", more)
		}
		b.Dial("s1")
		synctest.Wait()
		b.mu.Lock()
		last := b.ticks[len(b.ticks)-1]
		b.mu.Unlock()
		kit.Equal(t, "tick", last, rover.To("s1"))
	})
}
