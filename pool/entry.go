package pool

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/roam"
)

// An entry is one socket from when it is kept until it closes: in the pool,
// idle or lent, or out of it and still lent. Its state is the pool's, under
// the pool's lock.
type entry struct {
	pool   *Pool
	conn   net.Conn
	id     string
	server rover.Server
	slot   int

	ahead     *ahead      // reads from it while it is idle; nil: the poller watches
	token     uint64      // what the poller knows it by
	deadlines atomic.Bool // its borrower has set some

	rate     int  // the slot, or what it was rerated to
	age      int  // counts what was kept, rerated ones anew
	kept     bool // in the pool
	spot     int  // in idle; -1: not there
	dead     bool // known to be, perhaps before it is kept
	replaced bool // out of the pool while lent, and not for being dead
	signal   chan struct{}
	notify   func()    // called for the replacement
	lent     time.Time // zero: nobody listened
}

func (e *entry) held() roam.Held { return roam.Held{ID: e.id, Slot: e.rate} }

// loan is how long the present loan has taken, 0 if there is no telling.
func (e *entry) loan() time.Duration {
	if e.lent.IsZero() {
		return 0
	}
	return time.Since(e.lent)
}

// replace marks e, which is lent, as unwanted. The caller runs what it returns
// without the lock, unless it is nil.
func (e *entry) replace() func() {
	e.replaced = true
	if e.signal != nil {
		close(e.signal)
	}
	return e.notify
}

// close gives the socket up, without the lock.
func (e *entry) close() error {
	e.pool.poller.forget(e)
	return e.conn.Close()
}

// unshelve takes e from the idle: the last one moves to its spot.
func (p *Pool) unshelve(e *entry) {
	last := len(p.idle) - 1
	moved := p.idle[last]
	p.idle[e.spot], moved.spot = moved, e.spot
	p.idle[last] = nil
	p.idle = p.idle[:last]
	e.spot = -1
}
