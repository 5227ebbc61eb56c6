package pool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// WithDrainGrace sets how long a connection may be used once the pool wants it
// back because its server has left the set: more than 0, default as long as it
// takes. Then it closes under its borrower.
func WithDrainGrace(d time.Duration) Option {
	return func(p *Pool) error {
		if p.drainGrace = d; d <= 0 {
			return fmt.Errorf("pool: drain grace must be positive, got %v", d)
		}
		return nil
	}
}

// Follow has the pool learn of a rover's Outcomes and Sets, as Open and Attach do
// by themselves: why attempts fail, for the errors of Get, and which servers have
// left the set. Their connections close, those that are lent when they come back.
// Call it where Attach gets what is not a rover's own Connections: a merged or
// mapped stream. Either may be nil. It ends with ctx, the pool, or the streams.
func (p *Pool) Follow(ctx context.Context, outcomes, sets rxgo.Observable) {
	if outcomes != nil {
		p.feed(ctx, hot.Lossless(outcomes), func(item rxgo.Item) bool {
			if o, ok := item.V.(rover.Outcome); ok {
				p.outcome(o)
			}
			return true
		})
	}
	if sets != nil {
		p.feed(ctx, hot.Lossless(sets), func(item rxgo.Item) bool {
			if c, ok := item.V.(rover.SetChange); ok {
				p.setChanged(c)
			}
			return true
		})
	}
}

// outcome notes why an attempt brought nothing.
func (p *Pool) outcome(o rover.Outcome) {
	switch o.Err {
	case nil:
		p.reasons.settled(o.ID)
	case rover.ErrDropped, rover.ErrBusy:
	default:
		p.reasons.note(o.Err)
	}
}

// goneFor is how long an offer may be under way of a server that has left.
const goneFor = time.Minute

// changesKept bounds how many set changes are looked through for an offer.
const changesKept = 64

// setChanged drains who has left.
func (p *Pool) setChanged(c rover.SetChange) {
	p.mu.Lock()
	finish := p.drain(Drained, func(e *entry) bool { return leaves(c, e.who()) })
	for w := range p.standings {
		if leaves(c, w) {
			delete(p.standings, w)
		}
	}
	if len(p.sets) == changesKept {
		p.sets = slices.Delete(p.sets, 0, 1)
	}
	if len(p.sets) > 0 || len(c.Dropped) > 0 { // the first one is the whole set
		p.sets = append(p.sets, c)
	}
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}

// leaves says whether a change drops a server: one that is added again was
// replaced by itself.
func leaves(c rover.SetChange, w who) bool {
	at, dropped := c.Dropped[w.id]
	return dropped && at == w.server && c.Added[w.id] != w.server
}

// left says whether an offer's server has left the set since it was dialed.
func (p *Pool) left(c *rover.Connection) bool {
	w := who{c.ID, c.Server}
	for len(p.sets) > 0 && time.Since(p.sets[0].At) > goneFor {
		p.sets = slices.Delete(p.sets, 0, 1)
	}
	for i := len(p.sets) - 1; i >= 0; i-- {
		switch {
		case p.sets[i].Added[w.id] == w.server:
			return false
		case leaves(p.sets[i], w):
			return true
		}
	}
	return false
}

// drain takes those connections out of the pool that are meant.
func (p *Pool) drain(why Cause, meant func(*entry) bool) (finish func()) {
	var all []*entry
	for _, e := range p.kept.entries {
		if meant(e) {
			all = append(all, e)
		}
	}
	for e := range p.trials {
		if meant(e) {
			all = append(all, e)
		}
	}
	for _, e := range all {
		lent := e.spot < 0
		finish = then(finish, p.discard(e, why))
		if lent && why == Drained && p.drainGrace > 0 {
			e.after(p.drainGrace, e.shut)
		}
	}
	return finish
}

// discard takes e out for a reason, be it kept or on trial.
func (p *Pool) discard(e *entry, why Cause) (finish func()) {
	if e.kept {
		return p.expel(Change{Kind: Closed, Cause: why}, e, &p.stats.Closed)
	}
	p.count(why)
	if p.drop(e) {
		return e.shut
	}
	return e.replace()
}
