package expiry

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// A Context has its time kept by a Queue, rather than by a timer of its own: a
// timeout context for each attempt costs more than all the rest that is done
// for it. It is ready after Init.
//
// It ends when it is aborted or finished, not with its parent: whoever ends the
// parent must abort it too.
type Context struct {
	parent context.Context
	due    time.Time
	done   chan struct{} // nil: the parent's

	mu   sync.Mutex
	err  error    // why it has ended
	conn net.Conn // what Abort closes, once there is one
}

// Init makes c a child of parent that is due at a given time. A shared one has
// no Done channel but its parent's: for dialers that keep the deadline of their
// context by themselves.
func (c *Context) Init(parent context.Context, due time.Time, shared bool) {
	c.parent, c.due = parent, due
	if !shared {
		c.done = make(chan struct{})
	}
}

func (c *Context) Value(key any) any { return c.parent.Value(key) }

// Deadline is the given time, or the parent's deadline if that is earlier:
// there are dialers that look at nothing else.
func (c *Context) Deadline() (time.Time, bool) {
	if parent, ok := c.parent.Deadline(); ok && parent.Before(c.due) {
		return parent, true
	}
	return c.due, true
}

func (c *Context) Done() <-chan struct{} {
	if c.done == nil {
		return c.parent.Done()
	}
	return c.done
}

func (c *Context) Err() error {
	if c.done == nil {
		return c.parent.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Guard has Abort close the socket. An error says that it came too late.
func (c *Context) Guard(conn net.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	return c.err
}

// Finish ends the context of an attempt that is over: who waits for it in a
// dialer must not wait for ever. The socket is left alone. Why it had ended
// before is returned; nil: it had not.
func (c *Context) Finish() (before error) {
	_, before = c.end(context.Canceled)
	return before
}

// Abort ends the context, and whatever reads from the socket by closing it.
// Only the first end of a context counts.
func (c *Context) Abort(why error) {
	if conn, before := c.end(why); before == nil {
		socket.Refuse(conn)
	}
}

func (c *Context) end(why error) (conn net.Conn, before error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before = c.err; before == nil {
		c.err = why
		if c.done != nil {
			close(c.done)
		}
	}
	return c.conn, before
}
