package rovertest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// addr is the address that was dialed.
type addr struct{ network, address string }

func (a addr) Network() string { return a.network }
func (a addr) String() string  { return a.address }

// conn is the client's end of a pipe. As in any net.Pipe nothing is buffered: the server
// writes its next value when the client has read the last.
type conn struct {
	net.Conn
	server net.Conn
	to     addr
	dialer *Dialer
	dial   *Dial
	left   atomic.Bool           // the client has closed
	reset  atomic.Pointer[error] // the error if the server has reset; nil if not
}

// serve connects. The server writes until its source ends or the client closes.
func (d *Dialer) serve(source *marble.Source, dial *Dial, to addr) *conn {
	client, server := net.Pipe()
	c := &conn{Conn: client, server: server, to: to, dialer: d, dial: dial}
	ctx, cancel := context.WithCancel(context.Background())
	said := source.Observe(rxgo.WithContext(ctx))
	d.mu.Lock()
	d.open[c] = true
	d.mu.Unlock()
	d.serving.Go(func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, server) // ends when either side has closed
	})
	d.serving.Go(func() {
		defer cancel()
		c.speak(said)
	})
	return c
}

// speak writes what the source emits, then closes the server's end.
func (c *conn) speak(said <-chan rxgo.Item) {
	defer c.server.Close()
	for item := range said {
		if item.E != nil {
			err := cause(item.E, socket.Reset)
			c.reset.Store(&err)
			return
		}
		text, _ := words(item.V) // Serve has checked it
		if len(text) == 0 {
			continue // the pipe would make of it a Read of no bytes
		}
		if _, err := c.server.Write(text); err != nil {
			return
		}
	}
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.why("read", err)
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.why("write", err)
}

// why turns the error of a closed pipe into the one that a network returns.
func (c *conn) why(op string, err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	reset := c.reset.Load()
	switch {
	case c.left.Load():
		err = net.ErrClosed
	case reset != nil:
		err = *reset
	case op == "write":
		err = socket.BrokenPipe
	default:
		return err // the server has closed
	}
	return &net.OpError{Op: op, Net: c.to.network, Addr: c.to, Err: err}
}

func (c *conn) RemoteAddr() net.Addr { return c.to }

// Close closes the client's end, and notes when that was.
func (c *conn) Close() error {
	if c.left.Swap(true) {
		return nil
	}
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dial.Closed = time.Now()
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}
