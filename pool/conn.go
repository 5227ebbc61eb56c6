package pool

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
)

// A Conn is one loan of a connection. It ends with Release or Close, whichever
// comes first; then the Conn is of no use any more: Read and Write return
// net.ErrClosed, and any further Release or Close does nothing, also when the
// socket is on loan to somebody else by then. So each loan has a Conn of its
// own; they are allocated many at a time.
//
// A Read or Write should not be under way at Release.
type Conn struct {
	entry *entry
	over  atomic.Bool
}

var _ net.Conn = (*Conn)(nil)

// slab is how many Conns are allocated at once.
const slab = 64

// lend makes the Conn of a new loan, for whoever has waited so long. The pool's
// lock is held.
func (p *Pool) lend(e *entry, waited time.Duration) *Conn {
	if len(p.blank) == 0 {
		p.blank = make([]Conn, slab)
	}
	c := &p.blank[0]
	p.blank = p.blank[1:]
	c.entry = e
	if p.loansHeard() {
		e.lent = time.Now()
		p.emit(Change{Kind: Lent, Held: e.held(), Server: e.server, Took: waited})
	} else if !e.lent.IsZero() {
		e.lent = time.Time{}
	}
	return c
}

// Slot is the number the server gave the connection, from 0.
func (c *Conn) Slot() int { return c.entry.slot }

// Server is where the connection leads.
func (c *Conn) Server() rover.Server { return c.entry.server }

// Release gives the connection back to the pool, which lends it again, without
// the deadlines that were set on it. One that the pool wants no more, or that
// has failed, closes instead.
func (c *Conn) Release() {
	if c.over.Swap(true) {
		return
	}
	e := c.entry
	if e.deadlines.Load() {
		e.deadlines.Store(false)
		_ = e.conn.SetDeadline(time.Time{}) // fails only if it is closed
	}
	if e.ahead != nil {
		e.ahead.start()
	}
	p := e.pool
	p.mu.Lock()
	if !e.kept {
		p.stats.Leaving--
		p.mu.Unlock()
		e.close()
		return
	}
	if p.loansHeard() {
		p.emit(Change{Kind: Released, Held: e.held(), Server: e.server, Took: e.loan()})
	}
	p.put(e)
	p.mu.Unlock()
}

// Close closes the connection, which is gone from the pool for good. After
// Release, and the second time, it does nothing and returns nil.
func (c *Conn) Close() error {
	if c.over.Swap(true) {
		return nil
	}
	e, p := c.entry, c.entry.pool
	p.mu.Lock()
	if e.kept {
		p.stats.Closed++
		p.out(Change{Kind: Closed, Took: e.loan()}, e)
		p.drop(e)
	}
	p.stats.Leaving--
	p.mu.Unlock()
	return e.close()
}

// Replaced is closed when the pool wants the connection back to close it:
// there is a better one in its place, or the pool is closed. It may be used as
// long as it takes.
func (c *Conn) Replaced() <-chan struct{} {
	e := c.entry
	e.pool.mu.Lock()
	defer e.pool.mu.Unlock()
	if e.signal == nil {
		e.signal = make(chan struct{})
		if e.replaced {
			close(e.signal)
		}
	}
	return e.signal
}

// onReplaced has f called when Replaced is closed, by whoever caused it; nil: no
// more.
func (c *Conn) onReplaced(f func()) {
	e := c.entry
	e.pool.mu.Lock()
	already := e.replaced
	e.notify = f
	e.pool.mu.Unlock()
	if already && f != nil {
		f()
	}
}

// Read reads from the connection, as net.Conn says. An error other than a
// passed deadline means that the pool does not lend the connection again.
func (c *Conn) Read(b []byte) (int, error) {
	if c.over.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.entry.conn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.failed()
	}
	return n, err
}

// Write writes to the connection, as net.Conn says. After any error the pool
// does not lend the connection again: half of a message may be on its way.
func (c *Conn) Write(b []byte) (int, error) {
	if c.over.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.entry.conn.Write(b)
	if err != nil {
		c.failed()
	}
	return n, err
}

func (c *Conn) failed() {
	if e := c.entry; e.pool.lose(e) { // the loan ended with this Read or Write under way
		e.close()
	}
}

// LocalAddr is the address on this side.
func (c *Conn) LocalAddr() net.Addr { return c.entry.conn.LocalAddr() }

// RemoteAddr is the address on the other side.
func (c *Conn) RemoteAddr() net.Addr { return c.entry.conn.RemoteAddr() }

// SetDeadline sets both deadlines, as net.Conn says.
func (c *Conn) SetDeadline(t time.Time) error { return c.limit(net.Conn.SetDeadline, t) }

// SetReadDeadline sets the deadline of Read, as net.Conn says.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.limit(net.Conn.SetReadDeadline, t) }

// SetWriteDeadline sets the deadline of Write, as net.Conn says.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.limit(net.Conn.SetWriteDeadline, t) }

func (c *Conn) limit(set func(net.Conn, time.Time) error, t time.Time) error {
	if c.over.Load() {
		return net.ErrClosed
	}
	c.entry.deadlines.Store(true)
	return set(c.entry.conn, t)
}
