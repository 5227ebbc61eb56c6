package pool

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
)

// A Conn is one loan of a connection. It ends with Release, Close or Fail,
// whichever comes first; then the Conn is of no use any more: Read and Write
// return net.ErrClosed, and any further end does nothing, also when the
// socket is on loan to somebody else by then. So each loan has a Conn of its
// own; they are allocated many at a time.
//
// A Read or Write should not be under way at Release.
type Conn struct {
	entry *entry
	state atomic.Int32
}

// The states of a loan.
const (
	lent   = iota
	ending // it is being decided what becomes of the connection
	over
)

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

// ID is the server's in the set.
func (c *Conn) ID() string { return c.entry.id }

// Server is where the connection leads.
func (c *Conn) Server() rover.Server { return c.entry.server }

// Release gives the connection back to the pool, without the deadlines that
// were set on it. The pool lends it again if it is surely clean: every Write
// was followed by a Read of its own, no deadline passed while an answer was
// due, and nothing that came is unread. Else, or if it has failed, or the pool
// wants it no more, it closes. WithReuse replaces the rule.
func (c *Conn) Release() {
	e := c.entry
	if !e.use.now.Load() && e.pool.reuse == nil { // there is nothing to find out
		if c.state.CompareAndSwap(lent, over) {
			c.back(nil)
		}
	} else if c.state.CompareAndSwap(lent, ending) {
		c.finish(c.fit())
	}
}

// finish ends the loan: why is nil if the connection may be lent again.
func (c *Conn) finish(why error) {
	c.state.Store(over)
	c.back(why)
}

// back gives the connection back, without the borrower's deadlines.
func (c *Conn) back(why error) {
	e := c.entry
	if e.deadlines.Load() {
		e.deadlines.Store(false)
		_ = e.conn.SetDeadline(time.Time{}) // fails only if it is closed
	}
	if e.ahead != nil && why == nil {
		if e.use.now.Load() && e.pool.reuse == nil {
			e.settle()
			return
		}
		e.ahead.start()
	}
	e.back(why)
}

// back puts what was lent with the idle, or closes it, for a reason or because
// the pool wants it no more.
func (e *entry) back(why error) {
	p := e.pool
	var first, then func()
	p.mu.Lock()
	e.apart.Store(false)
	if e.use.now.Load() {
		first = p.judge(e, why)
		e.use.renew()
	}
	if why != nil && e.in() {
		p.end(e, why)
	}
	if e.in() {
		if p.loansHeard() {
			p.emit(Change{Kind: Released, Held: e.held(), Server: e.server, Took: e.loan()})
		}
		then = p.put(e)
	} else {
		p.stats.Leaving--
		e.stopTimer()
		then = e.shut
	}
	p.mu.Unlock()
	if first != nil {
		first()
	}
	if then != nil {
		then()
	}
}

// then is both, one after the other, of which either may be nil.
func then(first, second func()) func() {
	if first == nil {
		return second
	}
	if second == nil {
		return first
	}
	return func() { first(); second() }
}

// Close closes the connection, which is gone from the pool for good. After
// Release, and the second time, it does nothing and returns nil.
func (c *Conn) Close() error {
	if !c.state.CompareAndSwap(lent, over) {
		return nil
	}
	e, p := c.entry, c.entry.pool
	p.mu.Lock()
	var finish func()
	if e.use.now.Load() {
		finish = p.judge(e, nil)
	}
	if e.in() {
		p.end(e, nil)
	}
	p.stats.Leaving--
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
	return e.close()
}

// Fail ends the loan as Close does, and counts err as a failure of the server:
// after a few in a row, with no success between, the pool leaves it alone for a
// while. Say so of errors that are the server's fault: it ended the connection
// without an answer, it did not answer in time, it answered nonsense.
func (c *Conn) Fail(err error) {
	if !c.state.CompareAndSwap(lent, over) {
		return
	}
	if err == nil {
		err = errors.New("its borrower does not say why")
	}
	e, p := c.entry, c.entry.pool
	why := because{Failed, err}
	p.mu.Lock()
	finish := p.failure(e, why)
	if e.in() {
		p.end(e, why)
	}
	p.stats.Leaving--
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
	e.shut()
}

// Replaced is closed when the pool wants the connection back to close it:
// there is a better one in its place, it is too old, its server has left, or the
// pool is closed. It may be used as long as it takes, unless WithDrainGrace says
// otherwise.
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

// onReplaced has f called when Replaced is closed, by whoever caused it.
func (c *Conn) onReplaced(f func()) {
	e := c.entry
	e.pool.mu.Lock()
	already := e.replaced
	e.notify = f
	e.pool.mu.Unlock()
	if already {
		f()
	}
}

// Read reads from the connection, as net.Conn says. An error other than a
// passed deadline means that the pool does not lend the connection again.
func (c *Conn) Read(b []byte) (int, error) {
	if c.state.Load() == over {
		return 0, net.ErrClosed
	}
	n, err := c.entry.conn.Read(b)
	if n > 0 {
		c.entry.use.read()
	}
	if err != nil {
		c.missed(err)
	}
	return n, err
}

// missed notes how a Read failed. A deadline that passes while nothing was
// asked is a look whether something has come.
func (c *Conn) missed(err error) {
	u := &c.entry.use
	switch {
	case !isLate(err):
		c.failed(err)
	case u.asked.Load():
		u.spoil(Late)
	default:
		u.begin()
	}
}

// Write writes to the connection, as net.Conn says. After any error the pool
// does not lend the connection again: half of a message may be on its way.
func (c *Conn) Write(b []byte) (int, error) {
	if c.state.Load() == over {
		return 0, net.ErrClosed
	}
	c.entry.use.write()
	n, err := c.entry.conn.Write(b)
	if err != nil {
		c.failed(err)
	}
	return n, err
}

// failed takes the connection out of the pool: it is still lent, unless the
// loan has ended with this Read or Write under way.
func (c *Conn) failed(err error) {
	e := c.entry
	if e.pool.lose(e, err) {
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
	if c.state.Load() == over {
		return net.ErrClosed
	}
	c.entry.deadlines.Store(true)
	return set(c.entry.conn, t)
}
