package server

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// Conn is a connection that holds a slot. It reads and writes what comes after
// the slot line. It gives the slot back once: at Close, or earlier, when a Read,
// Write or copy fails because the connection is gone, or when both directions
// have ended. See the package comment.
type Conn struct {
	net.Conn
	listener *Listener
	came     time.Time
	slot     int
	number   int // on its slot line
	given    bool
	freeing  sync.Once

	first []byte // read already, see awaitFirst; a Read takes it
	use   use

	// Guarded by the listener's lock.
	stage       stage
	waits       bool
	handshaking *list.Element // its place among the handshakes, nil if it has none
}

const none = -1 // no slot

// Slot is the slot that the connection holds. It is the number on its slot line
// for a server of weight 1; see [Conn.Announced].
func (c *Conn) Slot() int { return c.slot }

// Announced is the number on the connection's slot line: the slot, as the
// listener's weight makes it, or [Drain].
func (c *Conn) Announced() int { return c.number }

// NetConn is the connection of the inner listener: a *net.TCPConn, a *tls.Conn.
// Close the Conn, not this: it would not free the slot. Nor does this have a
// byte that [WithClientFirst] has read.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Close frees the slot, then closes the connection: a client that sees the end
// and dials again finds the slot free.
func (c *Conn) Close() error {
	c.free()
	return c.Conn.Close()
}

// CloseWrite ends our direction of a connection that can do so, as TCP and TLS
// can. The slot stays taken until the client has ended its direction too.
// Otherwise the error wraps errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("server: closing one direction of a %T: %w", c.Conn, errors.ErrUnsupported)
	}
	err := half.CloseWrite()
	if err == nil {
		c.endedOne(ours)
	}
	return err
}

// Read reads from the connection, as net.Conn says.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.use.heard(c)
	}
	if err != nil {
		c.failed(err)
	}
	return n, err
}

// Write writes to the connection, as net.Conn says.
func (c *Conn) Write(p []byte) (int, error) {
	c.use.begin()
	n, err := c.Conn.Write(p)
	c.use.said(c)
	if err != nil {
		c.failed(err)
	}
	return n, err
}

// failed frees the slot if err says that the connection is over.
func (c *Conn) failed(err error) {
	switch {
	case err == io.EOF:
		c.endedOne(theirs)
	case socket.IsGone(err):
		c.free()
	}
}

// endedOne frees the slot when both directions have ended.
func (c *Conn) endedOne(direction uint32) {
	if c.use.ended.Or(direction)|direction == ours|theirs {
		c.free()
	}
}

// free gives the slot back and reports it, once. Every call returns after both.
func (c *Conn) free() {
	c.freeing.Do(func() {
		c.listener.leave(c)
		if c.slot == none {
			return
		}
		c.listener.putBack(c.slot)
		if c.given {
			c.listener.reportFreed(c)
		}
	})
}
