package roam

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// Learn subscribes to a rover's Outcomes and Sets and to a pool's Moves, or its
// Changes, once and before the rover starts. The channel is closed when it
// learns no more: all three or ctx have ended. No attempts are made after the
// end of any of the three. Items of another type are skipped.
func (p *Policy) Learn(ctx context.Context, outcomes, sets, changes rxgo.Observable) rxgo.Disposed {
	done := make(chan struct{})
	var left atomic.Int32
	left.Store(3)
	learn := func(source rxgo.Observable, next func(any)) {
		items := hot.Items(ctx, hot.Lossless(source))
		go func() {
			for item := range items {
				if !item.Error() {
					next(item.V)
				}
			}
			p.finish()
			if left.Add(-1) == 0 {
				close(done)
			}
		}()
	}
	learn(sets, func(v any) {
		if c, ok := v.(rover.SetChange); ok {
			p.changed(c)
		}
	})
	learn(changes, func(v any) {
		if c, ok := v.(Change); ok {
			p.happened(c)
		}
	})
	learn(outcomes, func(v any) {
		if o, ok := v.(rover.Outcome); ok {
			p.ended(o)
		}
	})
	return done
}

// finish ends the roving.
func (p *Policy) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.arm()
}

// number is a server's, -1 if it is not in the set.
func (p *Policy) number(id string) int32 {
	if n, known := p.numbers[id]; known {
		return n
	}
	return -1
}

// changed learns a change of the set. A server under a used id has a number of
// its own, so that nothing that is said of its predecessor is taken for its.
func (p *Policy) changed(c rover.SetChange) {
	func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		var added, dropped []int32
		for id := range c.Dropped {
			if n, known := p.numbers[id]; known {
				dropped = append(dropped, n)
				delete(p.numbers, id)
				delete(p.names, n)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(c.Added)) { // one random source, one run
			if _, known := p.numbers[id]; known {
				continue
			}
			p.last++
			p.numbers[id], p.names[p.last] = p.last, id
			added = append(added, p.last)
		}
		if p.core != nil {
			p.core.Change(p.now(), added, dropped, p.view)
			p.arm()
		}
	}()
	p.flush()
}

// happened learns what a pool did.
func (p *Policy) happened(c Change) {
	p.mu.Lock()
	p.view.Apply(c)
	if c.Kind == Replaced {
		p.replaced++
	}
	p.mu.Unlock()
	p.event(func(now Time) {
		switch c.Kind {
		case Kept:
			p.kept(now, c.Held, Verdict{Choice: Keep})
		case Replaced:
			p.kept(now, c.By, Verdict{Choice: Replace})
		case Lost:
			p.core.Lost(now, p.number(c.ID))
		case Closed:
			p.dial(p.core.Closed(now, p.view))
		case Declined:
			p.declined(now, c.Held)
		case Suspended:
			p.core.Suspended(now, p.number(c.ID), In(c.Took, p.interval))
		case Trusted:
			p.dial(p.core.Trusted(now, p.number(c.ID), p.view))
		case Waiting, Resized:
			p.dial(p.core.Need(now, p.view))
		}
	})
}

// kept learns that the pool has taken an offer.
func (p *Policy) kept(now Time, h Held, verdict Verdict) {
	t := p.trips.taken(h.ID, h.Slot)
	if t == nil {
		return
	}
	t.kept, t.slot, t.verdict = true, h.Slot, verdict
	if t.answered {
		p.trips.remove(t)
		p.answer(now, t)
	}
}

// declined learns that the pool did not take an offer, whatever was chosen.
func (p *Policy) declined(now Time, h Held) {
	t := p.trips.refused(h.ID, h.Slot)
	if t == nil {
		return
	}
	t.chosen, t.slot, t.verdict = true, h.Slot, Verdict{}
	if t.answered {
		p.trips.remove(t)
		p.answer(now, t)
	}
}

// answer has the core learn of an offer whose fate is known, or given up.
func (p *Policy) answer(now Time, t *trip) {
	if !t.kept {
		t.verdict = Verdict{}
	}
	if t.dial.Server < 0 || p.number(t.id) != t.dial.Server { // it left the set meanwhile
		p.core.Dropped(t.dial)
		return
	}
	p.dial(p.core.Answer(now, t.dial, t.slot, t.verdict, p.view))
}

// aimed is the type of a tick that names its server.
var aimed = reflect.TypeOf(rover.To(""))

// ended learns what became of an attempt.
func (p *Policy) ended(o rover.Outcome) {
	tick := o.Tick
	if reflect.TypeOf(tick) != aimed {
		tick = nil
	}
	p.event(func(now Time) {
		t := p.trips.ended(tick, o.ID)
		if t == nil { // somebody else's
			t = &trip{id: o.ID, dial: Dial{Server: p.number(o.ID)}}
			p.trips.add(t)
		}
		if o.Err != nil {
			p.trips.remove(t)
			p.failed(now, t, o.Err)
			return
		}
		t.answered, t.slot, t.until = true, o.Slot, now+verdictWait
		if t.kept || t.chosen && !t.verdict.Kept() {
			p.trips.remove(t)
			p.answer(now, t)
		}
	})
}

// failed has the core learn of an attempt that brought no offer.
func (p *Policy) failed(now Time, t *trip, err error) {
	var unreachable *rover.UnreachableError
	var protocol *rover.ProtocolError
	guilty := errors.As(err, &unreachable) || errors.As(err, &protocol)
	if !guilty || t.dial.Server < 0 || p.number(t.id) != t.dial.Server {
		p.core.Dropped(t.dial)
		return
	}
	p.dial(p.core.Fail(now, t.dial, p.view))
}
