// Package due has the context of an attempt, whose time is kept by a queue of
// attempts rather than by a timer of its own: a timeout context for each
// attempt costs more than all the rest that is done for it.
package due

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover/internal/expiry"
	"github.com/callosum-go/rover/internal/socket"
)

// A Context ends with the queue's time, or when it is aborted. It is ready
// after Init.
type Context struct {
	Place  expiry.Node[*Context]
	parent context.Context
	done   chan struct{} // nil: the parent's

	mu   sync.Mutex
	err  error    // why it is aborted
	conn net.Conn // what Abort closes, once there is one
}

// Init makes c a child of parent. A shared one has no Done channel but its
// parent's: for dialers that keep the deadline of their context by themselves.
// Whoever ends the parent must abort c too.
func (c *Context) Init(parent context.Context, shared bool) {
	c.Place.Thing, c.parent = c, parent
	if !shared {
		c.done = make(chan struct{})
	}
}

func (c *Context) Value(key any) any { return c.parent.Value(key) }

// Deadline is the queue's, or the parent's if that is earlier.
func (c *Context) Deadline() (time.Time, bool) {
	due := c.Place.Due()
	if parent, ok := c.parent.Deadline(); ok && parent.Before(due) {
		due = parent
	}
	return due, true
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
// dialer must not wait for ever. The socket is left alone. It is called once
// at most, by who took c off the queue, and not after Abort.
func (c *Context) Finish() { c.end(context.Canceled) }

func (c *Context) end(why error) {
	c.mu.Lock()
	c.err = why
	c.mu.Unlock()
	if c.done != nil {
		close(c.done)
	}
}

// Abort ends the context, and whatever reads from the socket by closing it.
// It is called once at most: by who took c off the queue.
func (c *Context) Abort(why error) {
	c.end(why)
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	socket.Refuse(conn)
}
