package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
	"github.com/reactivex/rxgo/v2"
)

// A report is what one client of the demo meets, a line an attempt. What a pool
// makes of an offer comes by another way than the offer, sooner or later: the
// line of an offer waits for it.
type report struct {
	print func(event)
	open  []rover.Outcome // offers of which the pool has said nothing
	kept  []pool.Change   // offers kept whose outcome has not come
}

// reportOn prints until the pool's rover ends. An offer of which the pool says
// nothing for half an interval was declined.
func reportOn(conns *pool.Pool, interval time.Duration, print func(event)) (done <-chan struct{}) {
	ctx, leave := context.WithCancel(context.Background())
	outcomes := conns.Stream().Outcomes().Observe()
	moves := conns.Moves().Observe(rxgo.WithContext(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer leave()
		r := report{print: print}
		for {
			var late <-chan time.Time
			if len(r.open) > 0 {
				late = time.After(time.Until(r.open[0].Begun.Add(r.open[0].Took + interval/2)))
			}
			select {
			case item, more := <-outcomes:
				if !more {
					r.decline(len(r.open))
					return
				}
				r.outcome(item.V.(rover.Outcome))
			case item := <-moves: // ends after the outcomes
				r.move(item.V.(pool.Change))
			case <-late:
				r.decline(1)
			}
		}
	}()
	return ended
}

func (r *report) outcome(o rover.Outcome) {
	if o.Err != nil {
		r.print(failureEvent(o.Err))
	} else if at := slices.IndexFunc(r.kept, func(c pool.Change) bool { return of(c, o) }); at >= 0 {
		r.print(keptEvent(o, r.kept[at]))
		r.kept = slices.Delete(r.kept, at, at+1)
	} else {
		r.open = append(r.open, o)
	}
}

func (r *report) move(c pool.Change) {
	switch c.Kind {
	case pool.Lost:
		r.print(lostEvent(c))
	case pool.Kept, pool.Replaced:
		if at := slices.IndexFunc(r.open, func(o rover.Outcome) bool { return of(c, o) }); at >= 0 {
			r.print(keptEvent(r.open[at], c))
			r.open = slices.Delete(r.open, at, at+1)
		} else {
			r.kept = append(r.kept, c)
		}
	}
}

// of says whether an offer was kept by a change.
func of(c pool.Change, o rover.Outcome) bool {
	offered := roam.Held{ID: o.ID, Slot: o.Slot}
	return c.Kind == pool.Kept && c.Held == offered || c.Kind == pool.Replaced && c.By == offered
}

// decline prints the first n open offers.
func (r *report) decline(n int) {
	for _, o := range r.open[:n] {
		r.print(connectionEvent(o.ID, o.Server, o.Slot, "declined", o.Took))
	}
	r.open = r.open[n:]
}

func keptEvent(o rover.Outcome, c pool.Change) event {
	verdict := "kept"
	if c.Kind == pool.Replaced {
		verdict += fmt.Sprintf(", gives up slot %d of %s", c.Slot, c.ID)
	}
	return connectionEvent(o.ID, o.Server, o.Slot, verdict, o.Took)
}
