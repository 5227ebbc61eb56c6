package pool

import (
	"fmt"

	"github.com/callosum-go/rover"
	"github.com/reactivex/rxgo/v2"
)

// A Kind is what has happened to a connection.
type Kind int

// The kinds of Change. A connection's life is Kept, then Lent and Released in
// turn, then one of Replaced, Lost and Closed.
const (
	Kept     Kind = iota // taken in
	Lent                 // by Get, TryGet or DialContext
	Released             // back in the pool
	Replaced             // out, for a better one
	Lost                 // out, the other side is gone
	Closed               // out, closed by its holder or with the pool
)

var kinds = [...]string{"kept", "lent", "released", "replaced", "lost", "closed"}

// String returns, for example, "kept".
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kinds) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kinds[k]
}

// A Change is one thing that happened to one connection.
type Change struct {
	Kind   Kind
	ID     string // of the server in the rover's set
	Server rover.Server
	Slot   int
}

// String returns, for example, `kept slot 3 of "a" (127.0.0.1:4040)`.
func (c Change) String() string {
	return fmt.Sprintf("%v slot %d of %q (%v)", c.Kind, c.Slot, c.ID, c.Server)
}

// Changes emits a Change for each thing that happens from now on, in order,
// and completes with Close. The pool never waits for a subscriber: one whose
// queue is full (hot.DefaultQueue items, or its rxgo.WithBufferedChannel)
// misses the newest; Stats has the truth.
func (p *Pool) Changes() rxgo.Observable {
	p.watched.Store(true)
	return p.changes.Observable()
}

// tell publishes a change. The pool's lock is held, for the order.
func (p *Pool) tell(k Kind, e *entry) {
	if p.watched.Load() && p.changes.Subscribers() > 0 {
		p.changes.Publish(Change{k, e.id, e.server, e.slot})
	}
}

// Stats are a pool's state and counters, all of one moment.
//
//	Kept = Idle + Lent
//	Accepted = Kept + Replaced + Lost + Closed
type Stats struct {
	Kept    int // now, at most Max
	Idle    int // of these
	Lent    int // of these
	Leaving int // out of the pool, and lent: closed when they come back
	Waiting int // Gets

	Accepted int // offers
	Declined int // offers
	Replaced int // by a better one
	Lost     int // the other side is gone
	Closed   int // by their holder or with the pool

	Lowest, Highest int                  // slots kept; -1 if none
	Servers         map[rover.Server]int // connections kept of each
}

// Stats returns the state and the counters so far, in O(Kept).
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Kept, s.Idle, s.Waiting = len(p.kept), len(p.idle), p.waiting.Len()
	s.Lent = s.Kept - s.Idle
	s.Lowest, s.Highest = -1, -1
	s.Servers = make(map[rover.Server]int)
	for i, e := range p.kept {
		s.Servers[e.server]++
		if i == 0 {
			s.Lowest, s.Highest = e.slot, e.slot
		}
		s.Lowest = min(s.Lowest, e.slot)
	}
	return s
}
