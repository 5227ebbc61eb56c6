package roam_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/roam"
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
				var id string
				fmt.Sscanf(fmt.Sprint(tick), "to %q", &id)
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
