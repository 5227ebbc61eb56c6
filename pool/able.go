package pool

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

type closeWriter interface{ CloseWrite() error }

// CloseWrite ends this side's half of the connection, as *net.TCPConn and
// *tls.Conn do. Such a connection is not lent again. Of a connection that
// cannot, the error wraps errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	if c.state.Load() == over {
		return net.ErrClosed
	}
	half, ok := c.entry.able().(closeWriter)
	if !ok {
		return c.lacks("CloseWrite")
	}
	c.entry.use.spoil(HalfClosed)
	return half.CloseWrite()
}

// SyscallConn returns the system's socket, of a connection that is one: as
// drivers want it to see, before they use a connection again, whether the other
// side has closed. Of a connection that was Replaced, and that owes no answer, it
// says so by an error that wraps net.ErrClosed: a driver that looks gives it up
// in time, and dials another. What is read and written through the system's
// socket is not seen by Release.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if c.state.Load() == over {
		return nil, net.ErrClosed
	}
	if c.entry.isReplaced() && !c.entry.use.owed.Load() {
		return nil, fmt.Errorf("pool: connection was replaced: %w", net.ErrClosed)
	}
	if raw, ok := c.entry.able().(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, c.lacks("SyscallConn")
}

// NetConn returns the connection itself. What is done with it the pool cannot
// see, and so it is not lent again, unless WithReuse says so.
func (c *Conn) NetConn() net.Conn {
	c.entry.use.spoil(Unwrapped)
	return c.entry.conn
}

// ReadFrom writes what it reads from r, by the socket's own means where it has
// them (sendfile, splice). It counts as one Write.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if c.state.Load() == over {
		return 0, net.ErrClosed
	}
	e := c.entry
	e.use.write()
	n, err := io.Copy(onlyWriter(e.able()), r)
	if err != nil { // r's or the socket's: half a message is on its way
		e.use.spoil(Unanswered)
	}
	return n, err
}

// WriteTo reads to the end of the connection, by the socket's own means where
// it has them, and writes that to w.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	if c.state.Load() == over {
		return 0, net.ErrClosed
	}
	e := c.entry
	n, err := io.Copy(w, onlyReader(e.conn))
	if n > 0 {
		e.use.read()
	}
	switch {
	case err == nil:
		c.failed(io.EOF)
	case isLate(err):
		e.use.spoil(Late)
	default:
		e.use.spoil(Unread) // w's or the socket's: some was read that is nowhere now
	}
	return n, err
}

// able is what can do whatever the socket can, but for reading.
func (e *entry) able() net.Conn {
	if e.ahead != nil && e.conn == net.Conn(e.ahead) {
		return e.ahead.Conn
	}
	return e.conn
}

// onlyWriter lets io.Copy use the socket's ReadFrom, if it has one.
func onlyWriter(conn net.Conn) io.Writer {
	if _, ok := conn.(io.ReaderFrom); ok {
		return conn
	}
	return struct{ io.Writer }{conn}
}

// onlyReader lets io.Copy use the socket's WriteTo, if it has one.
func onlyReader(conn net.Conn) io.Reader {
	if _, ok := conn.(io.WriterTo); ok {
		return conn
	}
	return struct{ io.Reader }{conn}
}

func (c *Conn) lacks(what string) error {
	return fmt.Errorf("pool: %s of a %T: %w", what, c.entry.able(), errors.ErrUnsupported)
}

// shown is c with the abilities of its socket and no others, for clients that
// look for methods and trust what they find. NetConn of what is not c is c.
func (c *Conn) shown() net.Conn {
	_, half := c.entry.able().(closeWriter)
	_, raw := c.entry.able().(syscall.Conn)
	switch {
	case half && raw:
		return c
	case half:
		return halfCloser{plain{c}}
	}
	return plain{c}
}

// plain has the methods of net.Conn alone.
type plain struct{ net.Conn }

func (p plain) NetConn() net.Conn { return p.Conn }

// halfCloser is one that can close its half, as TLS can.
type halfCloser struct{ plain }

func (h halfCloser) CloseWrite() error { return h.Conn.(*Conn).CloseWrite() }
