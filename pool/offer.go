package pool

import (
	"errors"
	"fmt"
	"time"

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
// is then replaced: closed, if idle, else when it comes back; but no third one
// of the same server with the same slot, which no honest server gives twice.
//
// It does not want one that is closed already, or whose server has left the set,
// or failed lately, or for which there is no room within WithMaxSockets. A slot of
// roam.Drain or more rerates first what is held of the server.
func (p *Pool) Offer(c *rover.Connection) bool {
	plan, err := p.ask(c)
	if err != nil {
		p.logger.Warn("pool: verdict ignored, the offer is declined", "error", err, "connection", c.String())
	}
	if !plan.wanted() {
		c.Decline()
		return false
	}
	conn, err := c.Keep()
	if err != nil { // somebody else was faster; nothing has been given up for it
		return false
	}
	e := &entry{pool: p, conn: conn, offer: c, id: c.ID, server: c.Server, slot: c.Slot, rate: c.Slot, spot: -1}
	kept, finish := p.keep(e, e.watch(), plan)
	if finish != nil {
		finish()
	}
	if !kept {
		p.poller.forget(e)
		socket.Refuse(e.conn)
	}
	return kept
}

// A plan is what the pool is about to do with an offer.
type plan struct {
	verdict roam.Verdict
	version int       // of what was seen
	on      *standing // a trial of its server; nil: none
	fetched bool      // somebody waits for just that server
}

func (x plan) wanted() bool { return x.verdict.Choice != roam.Refuse || x.on != nil || x.fetched }

// ask makes a plan for an offer, and counts a refusal.
func (p *Pool) ask(c *rover.Connection) (x plan, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Slot >= roam.Drain {
		p.rerate(c.ID, c.Slot)
	}
	x, err = p.plan(c)
	if !x.wanted() {
		p.stats.Declined++
	}
	return x, err
}

func (p *Pool) plan(c *rover.Connection) (x plan, err error) {
	x.version = p.kept.version
	var s *standing
	if len(p.standings) > 0 {
		s = p.suspect(who{c.ID, c.Server})
	}
	switch {
	case p.closed:
	case len(p.sets) > 0 && p.left(c):
		p.overrule(c)
	case len(p.named) > 0 && p.wanted(c.ID) && p.room():
		x.fetched = true
		p.overrule(c)
	case s == nil:
		x.verdict, err = p.decide(c)
	case len(p.kept.entries) < p.want() && p.most():
		if x.verdict, err = p.decide(c); x.verdict.Choice == roam.Replace {
			x.verdict = roam.Verdict{}
			p.overrule(c)
		}
	default:
		if s.trial == nil && !time.Now().Before(s.until) && p.room() {
			x.on = s
		}
		p.overrule(c)
	}
	return x, err
}

// decide is the verdict on an offer, of the choice or without one.
func (p *Pool) decide(c *rover.Connection) (roam.Verdict, error) {
	if p.closed {
		return roam.Verdict{}, nil
	}
	verdict, err := p.choose(c)
	return p.within(verdict, c), err
}

// within is the verdict, as far as the limit of sockets lets it be: who is lent
// stays open beside what replaces it.
func (p *Pool) within(verdict roam.Verdict, c *rover.Connection) roam.Verdict {
	lent := verdict.Choice == roam.Replace && p.kept.entries[verdict.Victim].spot < 0
	if (verdict.Choice == roam.Keep || lent) && !p.room() {
		p.overrule(c)
		return roam.Verdict{}
	}
	return verdict
}

func (p *Pool) choose(c *rover.Connection) (roam.Verdict, error) {
	n, most := len(p.kept.entries), p.want()
	if p.choice == nil {
		switch {
		case n < most:
			return roam.Verdict{Choice: roam.Keep}, nil
		case n > 0 && c.Slot < p.kept.worst() && p.kept.count(c.ID, c.Slot) < roam.Twins:
			return roam.Verdict{Choice: roam.Replace, Victim: n - 1}, nil
		}
		return roam.Verdict{}, nil
	}
	v := p.choice(roam.View{Max: most, Kept: p.kept.view, Waiting: p.waiting.Len()}, c)
	switch {
	case v.Choice == roam.Keep && n >= most:
		return roam.Verdict{}, fmt.Errorf("pool: choice must not keep more than max, %d", most)
	case v.Choice == roam.Replace && (v.Victim < 0 || v.Victim >= n):
		return roam.Verdict{}, fmt.Errorf("pool: choice's victim must be one of %d kept, from 0, got %d", n, v.Victim)
	}
	return v, nil
}

// overrule has the choice's owner learn that the pool itself declined an offer.
func (p *Pool) overrule(c *rover.Connection) {
	if p.choice != nil && p.heard() {
		p.emit(Change{Kind: Declined, Held: roam.Held{ID: c.ID, Slot: c.Slot}, Server: c.Server})
	}
}

// keep takes e in, if it lives and is still wanted. finish, unless nil, is to be
// called without the lock.
func (p *Pool) keep(e *entry, alive bool, x plan) (kept bool, finish func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !alive || e.dead || p.closed || len(p.sets) > 0 && p.left(e.offer):
		p.overrule(e.offer)
		if x.on != nil && e.dead {
			p.suspend(x.on, e, errYoung)
		}
	case x.fetched:
		if p.wanted(e.id) && p.room() {
			p.stats.Leaving++
			p.stats.Declined++
			return true, p.prepare(e)
		}
	case x.on != nil:
		if x.on.out && x.on.trial == nil && p.room() {
			return true, p.try(x.on, e)
		}
	default:
		if x.version != p.kept.version {
			x.verdict, _ = p.decide(e.offer)
		} else { // who was idle may be lent now
			x.verdict = p.within(x.verdict, e.offer)
		}
		if x.verdict.Choice != roam.Refuse {
			finish = p.install(e, x.verdict)
			return true, then(finish, p.prepare(e))
		}
	}
	p.stats.Declined++
	return false, nil
}

// install makes e one of the pool. It is put with the idle by the caller.
func (p *Pool) install(e *entry, verdict roam.Verdict) (finish func()) {
	if verdict.Choice == roam.Replace {
		victim := p.kept.entries[verdict.Victim]
		finish = p.expel(Change{Kind: Replaced, By: e.held()}, victim, &p.stats.Replaced)
	} else {
		p.out(Change{Kind: Kept}, e)
	}
	p.kept.add(e)
	p.stats.Accepted++
	e.since = time.Now()
	if p.maxAge > 0 {
		p.ages(e)
	}
	return finish
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
