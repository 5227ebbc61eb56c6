package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// accepted is what the slot listener of a Front listens to: its Accept returns
// clients, whose handshake is all that comes before the slot line.
type accepted struct {
	net.Listener
	front *Front
}

func (l *accepted) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		f := l.front
		if n := f.clients.Add(1); f.Limit > 0 && n > int64(f.Limit) {
			f.clients.Add(-1)
			f.refuse("limit")
			f.trouble("clients are refused: as many as may be are there", fmt.Errorf("the limit is %d", f.Limit))
			socket.Refuse(c)
			continue
		}
		if f.TLS != nil {
			c = tls.Server(c, f.TLS)
		}
		return &client{Conn: c, front: f}, nil
	}
}

// A client of a Front, and the server's connection for it. What is under it is
// shown, so that bytes can go by the kernel.
type client struct {
	net.Conn
	front *Front

	mu     sync.Mutex
	server net.Conn // nil until it is dialed
	joined bool     // whoever joins the two closes the server's too
	gone   bool     // closed
}

// Handshake is called by the slot listener before it takes a slot and writes the
// line. The server is dialed here: a client is not drawn to one that is down.
func (c *client) Handshake() error {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		if err := secure.Handshake(); err != nil {
			c.front.refuse("handshake")
			return err
		}
	}
	if c.front.Lazy {
		if !c.front.alive.Load() {
			c.front.refuse("server")
			return errGone
		}
		return nil
	}
	if err := c.dial(); err != nil {
		c.front.refuse("server")
		return err
	}
	return nil
}

// dial dials the server, and writes the header.
func (c *client) dial() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.front.DialTimeout)
	defer cancel()
	conn, err := c.front.dialServer(ctx, c.RemoteAddr(), c.LocalAddr())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		socket.Refuse(conn)
		return net.ErrClosed
	}
	c.server = conn
	return nil
}

// join has who calls it close both connections from now on.
func (c *client) join() (server net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joined = true
	return c.server
}

func (f *Front) dialServer(ctx context.Context, from, to net.Addr) (net.Conn, error) {
	conn, err := f.Dial(ctx)
	if err == nil && f.Header != nil {
		_ = conn.SetWriteDeadline(time.Now().Add(f.DialTimeout))
		if _, err = conn.Write(f.Header(from, to)); err != nil {
			socket.Refuse(conn)
		}
		_ = conn.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		f.trouble("the server cannot be dialed", err)
		return nil, err
	}
	return conn, nil
}

// Close closes by a reset if the client was refused, so that it knows at once.
func (c *client) Close() error {
	c.mu.Lock()
	gone, joined, server := c.gone, c.joined, c.server
	c.gone = true
	c.mu.Unlock()
	switch {
	case gone:
		return nil
	case joined:
		c.front.clients.Add(-1)
		return c.Conn.Close()
	}
	c.front.clients.Add(-1)
	socket.Refuse(c.Conn)
	if server != nil {
		socket.Refuse(server)
	}
	return nil
}

// NetConn is what was accepted, or TLS on it.
func (c *client) NetConn() net.Conn { return c.Conn }

// CloseWrite ends our direction.
func (c *client) CloseWrite() error { return closeWrite(c.Conn) }

// ReadFrom and WriteTo say that bytes pass as they are.
func (c *client) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }
func (c *client) WriteTo(w io.Writer) (int64, error)  { return io.Copy(w, c.Conn) }
