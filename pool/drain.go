package pool

import (
	"context"
	"fmt"
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
		p.learn(ctx, outcomes, func(v any) {
			if o, ok := v.(rover.Outcome); ok {
				p.outcome(o)
			}
		})
	}
	if sets != nil {
		p.learn(ctx, sets, func(v any) {
			if c, ok := v.(rover.SetChange); ok {
				p.setChanged(c)
			}
		})
	}
}

// learn calls next for each item. It subscribes before it returns.
func (p *Pool) learn(ctx context.Context, source rxgo.Observable, next func(any)) {
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.feeding.Add(1)
	}
	p.mu.Unlock()
	if closed {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(p.open, cancel)
	items := hot.Items(ctx, hot.Lossless(source))
	go func() {
		defer p.feeding.Done()
		defer cancel()
		defer unhook()
		for item := range items {
			if !item.Error() {
				next(item.V)
			}
		}
	}()
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

// A gone is a server that has left the set. For a while, offers of it may still
// be under way.
type gone struct {
	server rover.Server
	at     time.Time
}

const goneFor = time.Minute

// setChanged drains who has left.
func (p *Pool) setChanged(c rover.SetChange) {
	p.mu.Lock()
	var finish func()
	for id, server := range c.Dropped {
		if c.Added[id] == server {
			continue
		}
		if p.gone == nil {
			p.gone = make(map[string]gone)
		}
		p.gone[id] = gone{server, time.Now()}
		delete(p.standings, who{id, server})
		finish = then(finish, p.drain(who{id, server}, Drained, nil))
	}
	for id, server := range c.Added {
		if p.gone[id].server == server {
			delete(p.gone, id)
		}
	}
	for id, g := range p.gone {
		if time.Since(g.at) > goneFor {
			delete(p.gone, id)
		}
	}
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}

// left says whether an offer's server has left the set since it was dialed.
func (p *Pool) left(c *rover.Connection) bool {
	if len(p.gone) == 0 {
		return false
	}
	g, left := p.gone[c.ID]
	return left && g.server == c.Server
}

// drain takes what is kept of a server out of the pool, but for one.
func (p *Pool) drain(of who, why Cause, but *entry) (finish func()) {
	var all []*entry
	for _, e := range p.kept.entries {
		if e.who() == of && e != but {
			all = append(all, e)
		}
	}
	for e := range p.trials {
		if e.who() == of && e != but {
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
