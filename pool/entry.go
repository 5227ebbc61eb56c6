package pool

import (
	"net"
	"sync/atomic"

	"github.com/callosum-go/rover"
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

	place    int  // in kept; -1: not in the pool
	spot     int  // in idle; -1: not there
	dead     bool // known to be, perhaps before it is kept
	replaced bool // out of the pool while lent, and not for being dead
	signal   chan struct{}
	notify   func() // told of the replacement
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

// worstFirst is a heap of all that is kept, the highest slot on top. Each entry
// knows its place, so that any can be taken out in O(log n).
type worstFirst []*entry

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, j int) bool { return h[i].slot > h[j].slot }

func (h worstFirst) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *worstFirst) Push(e any) {
	e.(*entry).place = len(*h)
	*h = append(*h, e.(*entry))
}

func (h *worstFirst) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	e.place = -1
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
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
