package server

import (
	"io"
	"net"

	"github.com/callosum-go/rover/internal/socket"
)

// ReadFrom writes all of r to the connection. With it io.Copy lets the kernel
// copy, where the inner connection can.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	c.use.begin()
	defer c.use.said(c)
	c.use.busy() // what the kernel copies is not counted
	n, err := io.Copy(c.Conn, r)
	c.copied(err, r)
	return n, err
}

// WriteTo reads the connection to its end into w, by the kernel where it can.
// What comes first goes by our hands: it says that the connection is used.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	start := make([]byte, 4096)
	n, err := c.Read(start)
	if n > 0 {
		written, failed := w.Write(start[:n])
		n = written
		if failed != nil {
			return int64(n), failed
		}
	}
	if err == io.EOF {
		return int64(n), nil
	}
	if err != nil {
		return int64(n), err
	}
	c.use.moving.Add(1)
	rest, err := io.Copy(w, c.Conn)
	c.use.moving.Add(-1)
	if err == nil {
		c.endedOne(theirs)
	}
	c.copied(err, w)
	return int64(n) + rest, err
}

// copied frees the slot if a copy has failed because this connection is gone.
// The error does not say which of two connections is: the system does. Where it
// does not, the other is asked what it is.
func (c *Conn) copied(err error, other any) {
	if err == nil || !socket.IsGone(err) {
		return
	}
	lost, known := socket.Lost(c.Conn)
	if _, two := other.(net.Conn); lost || !known && !two {
		c.free()
	}
}
