package pool

import (
	"errors"
	"maps"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/roam"
	"github.com/reactivex/rxgo/v2"
)

// A Kind is what has happened in a pool, and a Change one such thing.
type (
	Kind   = roam.Kind
	Change = roam.Change
)

// The kinds of Change, as package roam has them.
const (
	Kept      = roam.Kept
	Replaced  = roam.Replaced
	Lost      = roam.Lost
	Closed    = roam.Closed
	Lent      = roam.Lent
	Released  = roam.Returned
	Waiting   = roam.Waiting
	Satisfied = roam.Satisfied
	Rerated   = roam.Rerated
	Declined  = roam.Declined
	Suspended = roam.Suspended
	Trusted   = roam.Trusted
	Resized   = roam.Resized
)

// Changes emits a Change for each thing that happens from now on, in order,
// and completes with Close. The pool never waits for a subscriber, and loses
// nothing for one that keeps reading: its queue grows.
func (p *Pool) Changes() rxgo.Observable {
	p.watched.Store(true)
	return p.changes.Observable()
}

// Moves is Changes without the loans: what is kept and what goes, and who waits.
// A policy learns from it; it makes no loan slower.
func (p *Pool) Moves() rxgo.Observable {
	p.moved.Store(true)
	return p.moves.Observable()
}

// heard says whether anybody listens to more than loans.
func (p *Pool) heard() bool {
	return p.loansHeard() || p.moved.Load() && p.moves.Subscribers() > 0
}

// loansHeard costs a loan one load where nobody has ever asked for Changes.
func (p *Pool) loansHeard() bool { return p.watched.Load() && p.changes.Subscribers() > 0 }

// emit publishes a change. The pool's lock is held, for the order.
func (p *Pool) emit(c Change) {
	c.At = time.Now()
	p.changes.Publish(c)
	if c.Kind != Lent && c.Kind != Released {
		p.moves.Publish(c)
	}
}

// out emits what happens to e, if anybody listens.
func (p *Pool) out(c Change, e *entry) {
	if p.heard() {
		c.Held, c.Server = e.held(), e.server
		p.emit(c)
	}
}

// Stats are a pool's state and counters, all of one moment. They marshal to JSON.
//
//	Kept = Idle + Lent + Readying
//	Accepted = Kept + Replaced + Lost + Closed
type Stats struct {
	Kept     int // now, at most Max
	Idle     int // of these
	Lent     int // of these
	Readying int // of these: WithReady is at work on them
	Leaving  int // out of the pool, and lent: closed when they come back
	Trials   int // beside the pool, to see whether their servers are well again
	Waiting  int // Gets

	Accepted int // offers
	Declined int // offers
	Replaced int // by a better one
	Lost     int // the other side is gone
	Closed   int // by their holder, the pool, or with it

	Causes map[Cause]int // why the pool or Fail has closed connections

	Lowest, Highest int                  // slots kept; -1 if none
	Servers         map[rover.Server]int // connections kept of each
}

// Stats returns the state and the counters so far. It takes the pool's lock for
// as long as it takes to copy them, however many connections there are.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Kept, s.Idle, s.Waiting = len(p.kept.entries), p.idleKept(), p.waiters()
	s.Trials, s.Readying = len(p.trials), p.keptReadying()
	s.Lent = s.Kept - s.Idle - s.Readying
	s.Lowest, s.Highest = -1, p.kept.worst()
	s.Causes = maps.Clone(s.Causes)
	s.Servers = make(map[rover.Server]int, len(p.kept.servers))
	maps.Copy(s.Servers, p.kept.servers)
	if s.Kept > 0 {
		s.Lowest = p.kept.entries[0].rate
	}
	return s
}

// keptReadying is how many of those kept are being made ready.
func (p *Pool) keptReadying() (n int) {
	if p.readying == 0 {
		return 0
	}
	for _, e := range p.kept.entries {
		if e.readying {
			n++
		}
	}
	return n
}

// count counts why a connection is closed. False: it is no Cause.
func (p *Pool) count(why error) bool {
	var cause Cause
	if !errors.As(why, &cause) {
		return false
	}
	if p.stats.Causes == nil {
		p.stats.Causes = make(map[Cause]int)
	}
	p.stats.Causes[cause]++
	return true
}
