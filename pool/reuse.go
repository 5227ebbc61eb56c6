package pool

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// WithReuse sets who decides at Release whether the connection is lent again,
// instead of the rule of Release. It is for protocols that push, or that do not
// answer all they are sent: such a client knows what is left to come, the pool
// does not. It may still use the connection, and ask c.Clean what the rule says.
// A connection that failed, or that is not wanted any more, closes whatever it
// says. If it panics, the connection closes, and the panic goes on.
func WithReuse(fit func(c *Conn) bool) Option {
	return func(p *Pool) error {
		if p.reuse = fit; fit == nil {
			return errors.New("pool: reuse must not be nil")
		}
		return nil
	}
}

// A usage is what the borrowers of a connection did with it, as far as that
// says whether the next one may have it.
type usage struct {
	ever     atomic.Bool  // somebody has read or written, in whichever loan
	proved   atomic.Bool  // something written was answered, in whichever loan
	now      atomic.Bool  // the present borrower has read or written; the rest is of his loan
	asked    atomic.Bool  // he has written
	answered atomic.Bool  // and read after it
	open     atomic.Int32 // writes for which no read has come yet
	owed     atomic.Bool  // nothing was read since the last write
	spoiled  atomic.Int32 // a Cause, if there is one already
}

func (u *usage) begin() {
	if !u.now.Load() {
		u.ever.Store(true)
		u.now.Store(true)
	}
}

// write comes before the bytes go: their answer may be faster than we are.
func (u *usage) write() {
	u.begin()
	u.asked.Store(true)
	u.owed.Store(true)
	u.open.Add(1)
}

// read notes that bytes came. One read answers one write: who writes twice and
// reads once has left an answer behind, for all we know.
func (u *usage) read() {
	u.begin()
	u.owed.Store(false)
	for {
		n := u.open.Load()
		if n <= 0 {
			return
		}
		if u.open.CompareAndSwap(n, n-1) {
			u.answered.Store(true)
			u.proved.Store(true)
			return
		}
	}
}

func (u *usage) spoil(why Cause) {
	u.begin()
	u.spoiled.CompareAndSwap(0, int32(why))
}

// renew makes it the next borrower's.
func (u *usage) renew() {
	if u.now.Load() {
		u.asked.Store(false)
		u.answered.Store(false)
		u.open.Store(0)
		u.owed.Store(false)
		u.spoiled.Store(0)
		u.now.Store(false)
	}
}

// Clean says whether the connection is surely clean, so that whoever borrows it
// next reads nothing that was meant for this borrower: each Write was followed by
// a Read of its own, no deadline passed for an answer, and nothing has come
// that was not read. If not, the error is a Cause, or how the other side has ended
// the connection. It clears the read deadline.
func (c *Conn) Clean() error {
	if c.state.Load() == over {
		return net.ErrClosed
	}
	return c.entry.clean()
}

func (e *entry) clean() error {
	u := &e.use
	if !u.now.Load() {
		return nil
	}
	if why := Cause(u.spoiled.Load()); why != 0 {
		return why
	}
	if u.open.Load() > 0 {
		return Unanswered
	}
	if err := e.leftover(); err != nil {
		return err
	}
	if e.ahead == nil && e.wrapped {
		return e.buffered()
	}
	return nil
}

// fit is what becomes of the connection when its loan ends: nil if it may be
// lent again.
func (c *Conn) fit() (why error) {
	e := c.entry
	if e.pool.reuse == nil {
		return e.clean()
	}
	said := false
	defer func() {
		if !said { // it panics: the socket is not to be forgotten
			c.finish(Unfit)
		}
	}()
	fits := e.pool.reuse(c)
	said = true
	if !fits {
		return Unfit
	}
	return nil
}

// leftover is Unread if bytes have come to this side that nobody has read, or why
// none will come any more. It takes none from what may be lent again.
func (e *entry) leftover() error {
	if e.ahead != nil {
		return e.ahead.pending()
	}
	err := e.peek.state()
	if err == Unread && e.wrapped { // TLS says more than its user is to hear: its end, tickets
		err = e.listen(time.Now().Add(settleTime))
	}
	return err
}

// buffered is Unread if a wrapper such as TLS has read from the socket what
// nobody has read from it. With a deadline in the past it gets nothing else.
func (e *entry) buffered() error { return e.listen(time.Unix(1, 0)) }

// listen reads until then.
func (e *entry) listen(until time.Time) error {
	if err := e.conn.SetReadDeadline(until); err != nil {
		return err
	}
	n, err := e.conn.Read(make([]byte, 1))
	_ = e.conn.SetReadDeadline(time.Time{})
	switch {
	case n > 0:
		return Unread
	case isLate(err):
		return nil
	}
	return err
}

// settleTime is how long a connection that is no socket is listened to before
// it is lent again.
const settleTime = time.Millisecond

// settle finds out whether something is left in a connection that is no socket
// of the system's: nobody can look into it without reading. It is not lent
// meanwhile.
func (e *entry) settle() {
	p := e.pool
	p.mu.Lock()
	in := e.in() && !p.closed
	if in {
		p.feeding.Add(1)
	}
	p.mu.Unlock()
	if !in { // it closes anyway
		e.back(nil)
		return
	}
	go func() {
		defer p.feeding.Done()
		why := e.listen(time.Now().Add(settleTime))
		if why == nil {
			e.ahead.start()
		}
		e.back(why)
	}()
}

// isLate says whether an error is a passed deadline, whatever it is called:
// nothing is wrong with the connection then.
func isLate(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var known net.Error
	return errors.As(err, &known) && known.Timeout() && !socket.IsGone(err)
}
