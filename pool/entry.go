package pool

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/roam"
)

// An entry is one socket from when it is kept until it closes: in the pool,
// idle or lent, on trial beside it, or out of it and still lent. Its state is the
// pool's, under the pool's lock; use and deadlines are its borrower's.
type entry struct {
	pool   *Pool
	conn   net.Conn
	id     string
	server rover.Server
	slot   int
	offer  *rover.Connection // what it was

	ahead     *ahead      // reads from it while it is idle; nil: the poller watches
	token     uint64      // what the poller knows it by
	peek      *peek       // into the system's socket; nil: there is none
	wrapped   bool        // there is something above that socket, which may hold bytes
	deadlines atomic.Bool // its borrower has set some
	apart     atomic.Bool // its borrower alone says how its server is
	use       usage

	rate     int  // the slot, or what it was rerated to
	age      int  // counts what was kept, rerated ones anew
	kept     bool // in the pool
	trial    bool // not in the pool, and lent all the same: to see whether its server is well
	spot     int  // in idle; -1: not there
	readying bool // not lent, and WithReady is at work on it
	dead     bool // known to be, perhaps before it is kept
	replaced bool // out of the pool while lent, and not for being dead
	signal   chan struct{}
	notify   func()      // called for the replacement
	lent     time.Time   // zero: nobody listened
	since    time.Time   // when it was kept
	timer    *time.Timer // ends its life, or its trial; nil: neither
}

func (e *entry) held() roam.Held { return roam.Held{ID: e.id, Slot: e.rate} }

// in is true while it is lent again when it comes back.
func (e *entry) in() bool { return e.kept || e.trial }

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

// after has f called once, unless e closes first or something else is put in
// its place. The lock is held.
func (e *entry) after(d time.Duration, f func()) {
	e.stopTimer()
	e.timer = time.AfterFunc(d, f)
}

func (e *entry) stopTimer() {
	if e.timer != nil {
		e.timer.Stop()
	}
}

// close gives the socket up, without the lock.
func (e *entry) close() error {
	e.pool.poller.forget(e)
	return e.conn.Close()
}

// shut is close for who cannot do anything about an error.
func (e *entry) shut() { _ = e.close() }

// unshelve takes e from the idle: the last one moves to its spot.
func (p *Pool) unshelve(e *entry) {
	last := len(p.idle) - 1
	moved := p.idle[last]
	p.idle[e.spot], moved.spot = moved, e.spot
	p.idle[last] = nil
	p.idle = p.idle[:last]
	e.spot = -1
	if e.trial {
		p.idleTrials--
	}
}

// shelve lays e with the idle.
func (p *Pool) shelve(e *entry) {
	e.spot = len(p.idle)
	p.idle = append(p.idle, e)
	if e.trial {
		p.idleTrials++
	}
}

// idleKept is how many of those kept are idle.
func (p *Pool) idleKept() int { return len(p.idle) - p.idleTrials }

func (e *entry) isReplaced() bool {
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	return e.replaced
}
