package rovertest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// addr is the address that was dialed.
type addr struct{ network, address string }

func (a addr) Network() string { return a.network }
func (a addr) String() string  { return a.address }

// conn is the client's end of a pipe. As in any net.Pipe nothing is buffered: the server
// says its next word when the client has read the last.
type conn struct {
	net.Conn
	server net.Conn
	to     addr
	dialer *Dialer
	dial   *Dial
	left   atomic.Bool           // the client has closed
	reset  atomic.Pointer[error] // why the server has gone, if it has not closed
}

// serve connects, and lets the server speak until it has no more to say or the client closes.
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

// speak writes what the server says, and closes its end when that is over.
func (c *conn) speak(said <-chan rxgo.Item) {
	defer c.server.Close()
	for item := range said {
		if item.E != nil {
			err := cause(item.E, errReset)
			c.reset.Store(&err)
			return
		}
		text, _ := words(item.V) // Serve has checked
		if len(text) == 0 {
			continue // which a pipe would have read, as nothing
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

// why is the reason for which an end of the pipe is closed, as a network would say it.
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
		err = errPipe
	default:
		return err // the end of what the server has to say
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
