package relay

import (
	"sync/atomic"

	"github.com/callosum-go/rover/pool"
)

// A lent is a pool's connection while a client of a Proxy has it. It says to the pool
// how the server is: an answer speaks for it; an end before any answer to what
// was asked speaks against it. All else is the client's doing.
type lent struct {
	*pool.Conn
	asked    atomic.Bool
	answered atomic.Bool
	left     atomic.Bool // we ended our direction first
	failed   atomic.Pointer[error]
}

func borrow(c *pool.Conn) *lent {
	c.Apart()
	return &lent{Conn: c}
}

func (l *lent) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if n > 0 && !l.answered.Load() {
		l.answered.Store(true)
		l.Vouch()
	}
	if err != nil && l.asked.Load() && !l.answered.Load() && !l.left.Load() {
		l.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

func (l *lent) Write(p []byte) (int, error) {
	if !l.asked.Load() {
		l.asked.Store(true)
	}
	return l.Conn.Write(p)
}

func (l *lent) CloseWrite() error {
	l.left.Store(true)
	return l.Conn.CloseWrite()
}

// Close ends the loan.
func (l *lent) Close() error {
	l.left.Store(true)
	if err := l.failed.Load(); err != nil {
		l.Fail(*err)
		return nil
	}
	return l.Conn.Close()
}
