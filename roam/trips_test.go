package roam_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/roam"
	"github.com/reactivex/rxgo/v2"
)

// An answer waits half an interval for what the pool makes of its offer, and
// the next dial of a burst with it. Then the offer counts as refused: nobody may
// ever have asked a pool about it.
func TestAnAnswerWaitsForItsVerdict(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		490 * time.Millisecond: 490 * time.Millisecond,
		510 * time.Millisecond: 500 * time.Millisecond,
		time.Hour:              500 * time.Millisecond,
	} {
		bubble(t, func(t *testing.T) {
			b := newBench(t, 5)
			far := roam.Held{ID: "s0", Slot: 20} // above the share: it must move
			b.changes.Publish(roam.Change{Kind: roam.Kept, Held: far})
			b.start(func(tick any) {
				id := named(tick)
				b.outcomes.Publish(rover.Outcome{Tick: tick, ID: id, Server: kit.A, Slot: 3})
				time.AfterFunc(asked, func() {
					b.changes.Publish(roam.Change{Kind: roam.Replaced, Held: far, By: roam.Held{ID: id, Slot: 3}})
				})
			})
			time.Sleep(800 * time.Millisecond)
			if at := b.times(); len(at) != 2 || (at[1]-want).Abs() > time.Millisecond {
				t.Errorf("a pool that asks after %v: dials at %v, want the second at %v", asked, at, want)
			}
		})
	}
}

// state is the policy's latest.
func state(b *bench) roam.State {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return (<-b.State().Observe(rxgo.WithContext(ctx))).V.(roam.State)
}

func named(tick any) (id string) {
	fmt.Sscanf(fmt.Sprint(tick), "to %q", &id)
	return id
}

// A pool may ask, and keep, before the outcome is known; it says what its Max is.
func TestAPoolThatIsFasterThanTheOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 5)
		n := 0
		b.start(func(tick any) {
			if n++; n > 1 {
				return
			}
			h := roam.Held{ID: named(tick), Slot: 4}
			kit.Equal(t, "kept", b.Choose(roam.View{Max: 3}, rover.NewConnection(h.ID, kit.A, h.Slot, nil)).Kept(), true)
			b.changes.Publish(roam.Change{Kind: roam.Kept, Held: h})
			time.AfterFunc(time.Millisecond, func() { // or the two come at once
				b.outcomes.Publish(rover.Outcome{Tick: tick, ID: h.ID, Server: kit.A, Slot: h.Slot})
			})
		})
		time.Sleep(10 * time.Millisecond)
		kit.Equal(t, "estimate", state(b).Estimate, 4)
		kit.Equal(t, "attempts for a pool of three", b.seen(), 3)
	})
}

// An answer of a server says nothing of its successor under the same id.
func TestAnAnswerOfAPredecessor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 1)
		n := 0
		b.start(func(tick any) {
			if n++; n > 1 {
				return
			}
			b.sets.Publish(rover.SetChange{Added: map[string]rover.Server{"s0": kit.B}, Dropped: map[string]rover.Server{"s0": kit.A}})
			time.AfterFunc(time.Millisecond, func() {
				b.outcomes.Publish(rover.Outcome{Tick: tick, ID: "s0", Server: kit.A, Slot: 4})
			})
		})
		time.Sleep(700 * time.Millisecond)
		kit.Equal(t, "estimate", state(b).Estimate, 0)
	})
}

// Our own trouble is no reason to try the next server at once, and leaves none out.
func TestOwnTroubleBlamesNobody(t *testing.T) {
	for want, err := range map[int]error{1: &rover.LocalError{Err: kit.ErrOdd}, 5: &rover.UnreachableError{Err: kit.ErrOdd}} {
		bubble(t, func(t *testing.T) {
			b := newBench(t, 5)
			b.start(func(tick any) { b.outcomes.Publish(rover.Outcome{Tick: tick, ID: named(tick), Err: err}) })
			time.Sleep(400 * time.Millisecond)
			if n := b.seen(); n != want {
				t.Errorf("%d attempts after %T, want %d", n, err, want)
			}
		})
	}
}

// A state is emitted when it has changed.
func TestStatesDiffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, 5)
		b.start(b.full())
		time.Sleep(10 * time.Minute)
		n := 0
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b.State().ForEach(func(any) { n++ }, func(error) {}, func() {}, rxgo.WithContext(ctx))
		synctest.Wait()
		b.changes.Publish(roam.Change{Kind: roam.Lent, Held: roam.Held{ID: "s0"}})
		synctest.Wait()
		kit.Equal(t, "states", n, 1)
	})
}
