package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/callosum-go/rover/internal/socket"
)

// Conn is a connection that holds a slot. It reads and writes what comes after
// the slot line, and gives the slot back once: at Close, or before, when a Read
// or Write tells that the connection is gone. See the package comment.
type Conn struct {
	net.Conn
	listener *Listener
	slot     int
	freeing  sync.Once
}

// Slot is the number the client was told.
func (c *Conn) Slot() int { return c.slot }

// NetConn is the connection of the inner listener: a *net.TCPConn, a *tls.Conn.
// Close the Conn, not this: it would not free the slot.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Close frees the slot, then closes the connection: a client that sees the end
// and dials again finds the slot free.
func (c *Conn) Close() error {
	c.free()
	return c.Conn.Close()
}

// CloseWrite ends our direction of a connection that can do so, as TCP and TLS
// can; the slot stays taken. Otherwise the error wraps errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return fmt.Errorf("server: closing one direction of a %T: %w", c.Conn, errors.ErrUnsupported)
}

// Read reads from the connection, as net.Conn says.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.freeIfGone(err)
	return n, err
}

// Write writes to the connection, as net.Conn says.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.freeIfGone(err)
	return n, err
}

// ReadFrom writes all of r to the connection: the way io.Copy finds to the
// kernel's own copying, where the inner connection knows one.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// WriteTo reads the connection to its end into w, in the same way.
func (c *Conn) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, c.Conn) }

func (c *Conn) freeIfGone(err error) {
	if err != nil && socket.IsGone(err) {
		c.free()
	}
}

// free gives the slot back, the first time. At any return that is done, and told.
func (c *Conn) free() {
	c.freeing.Do(func() {
		c.listener.putBack(c.slot)
		c.listener.tellFreed(c)
	})
}
