package pool

import (
	"errors"
	"fmt"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/roam"
)

// A Choice decides what becomes of an offer, given the pool as it is.
type Choice = func(roam.View, *rover.Connection) roam.Verdict

// WithChoice sets who decides what is kept, and which connection goes for it.
// It is asked under the pool's lock: it must be quick and call nothing of the
// pool, nor keep the view's slice. It is asked again about the same offer if the
// pool has changed before that was kept. A verdict that cannot be carried out,
// Keep without room or Replace of what is not there, is a refusal, logged at
// Warn. Default: the lowest slots, of the same slot the latest.
func WithChoice(choice Choice) Option {
	return func(p *Pool) error {
		if p.choice = choice; choice == nil {
			return errors.New("pool: choice must not be nil")
		}
		return nil
	}
}

// Offer keeps or declines a connection, at once. True: the pool has it. What
// it wants is up to WithChoice. Without one, it wants a connection while it has
// fewer than Max, or if the slot is strictly lower than the highest it has, which
// is then replaced: closed, if idle, else when it comes back. It does not want
// one that is closed already. A slot of roam.Drain or more rerates first what is
// held of the server.
func (p *Pool) Offer(c *rover.Connection) bool {
	verdict, version, err := p.ask(c)
	if err != nil {
		p.logger.Warn("pool: verdict ignored, the offer is declined", "error", err, "connection", c.String())
	}
	if !verdict.Kept() {
		c.Decline()
		return false
	}
	conn, err := c.Keep()
	if err != nil { // somebody else was faster; nothing has been given up for it
		return false
	}
	e := &entry{pool: p, conn: conn, id: c.ID, server: c.Server, slot: c.Slot, rate: c.Slot, spot: -1}
	kept, finish := p.keep(e, c, e.watch(), verdict, version)
	if finish != nil {
		finish()
	}
	if !kept {
		p.poller.forget(e)
		socket.Refuse(e.conn)
	}
	return kept
}

// ask asks for a verdict, and counts a refusal. The version is of what was seen.
func (p *Pool) ask(c *rover.Connection) (verdict roam.Verdict, version int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Slot >= roam.Drain {
		p.rerate(c.ID, c.Slot)
	}
	verdict, err = p.decide(c)
	if !verdict.Kept() {
		p.stats.Declined++
	}
	return verdict, p.kept.version, err
}

func (p *Pool) decide(c *rover.Connection) (roam.Verdict, error) {
	if p.closed {
		return roam.Verdict{}, nil
	}
	n := len(p.kept.entries)
	if p.choice == nil {
		switch {
		case n < p.max:
			return roam.Verdict{Choice: roam.Keep}, nil
		case c.Slot < p.kept.worst():
			return roam.Verdict{Choice: roam.Replace, Victim: n - 1}, nil
		}
		return roam.Verdict{}, nil
	}
	v := p.choice(roam.View{Max: p.max, Kept: p.kept.view, Waiting: p.waiting.Len()}, c)
	switch {
	case v.Choice == roam.Keep && n >= p.max:
		return roam.Verdict{}, fmt.Errorf("pool: choice must not keep more than max, %d", p.max)
	case v.Choice == roam.Replace && (v.Victim < 0 || v.Victim >= n):
		return roam.Verdict{}, fmt.Errorf("pool: choice's victim must be one of %d kept, from 0, got %d", n, v.Victim)
	}
	return v, nil
}

// keep takes e in, if it lives and is still wanted. finish, unless nil, is to be
// called without the lock.
func (p *Pool) keep(e *entry, c *rover.Connection, alive bool, verdict roam.Verdict, version int) (kept bool, finish func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if version != p.kept.version || p.closed {
		verdict, _ = p.decide(c)
	}
	if !alive || e.dead || !verdict.Kept() {
		p.stats.Declined++
		return false, nil
	}
	if verdict.Choice == roam.Replace {
		victim := p.kept.entries[verdict.Victim]
		finish = p.expel(Change{Kind: Replaced, By: e.held()}, victim, &p.stats.Replaced)
	} else {
		p.out(Change{Kind: Kept}, e)
	}
	p.kept.add(e)
	p.stats.Accepted++
	p.put(e)
	return true, finish
}

// Rerate gives all connections that are held of a server another slot, as if the
// server had given them that: roam.Drain makes them the worst of the pool, and
// the next to be replaced. It returns how many there are.
func (p *Pool) Rerate(id string, slot int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rerate(id, slot)
}

func (p *Pool) rerate(id string, slot int) (n int) {
	var changed []*entry
	for _, e := range p.kept.entries {
		if e.id != id {
			continue
		}
		n++
		if e.rate != slot {
			changed = append(changed, e)
		}
	}
	for _, e := range changed {
		p.out(Change{Kind: Rerated, By: roam.Held{ID: id, Slot: slot}}, e)
		p.kept.remove(e)
		e.rate = slot
		p.kept.add(e)
	}
	return n
}
