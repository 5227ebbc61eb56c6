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
// the slot line. It gives the slot back once: at Close, or earlier, when a Read
// or Write fails because the connection is gone. See the package comment.
type Conn struct {
	net.Conn
	listener *Listener
	slot     int
	freeing  sync.Once
}

// Slot is the number on the connection's slot line.
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

// ReadFrom writes all of r to the connection. With it io.Copy lets the kernel
// copy, where the inner connection can.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// WriteTo reads the connection to its end into w, by the kernel where it can.
func (c *Conn) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, c.Conn) }

func (c *Conn) freeIfGone(err error) {
	if err != nil && socket.IsGone(err) {
		c.free()
	}
}

// free gives the slot back and reports it, once. Every call returns after both.
func (c *Conn) free() {
	c.freeing.Do(func() {
		c.listener.putBack(c.slot)
		c.listener.reportFreed(c)
	})
}
