//go:build !plan9

package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/callosum-go/rover"
)

// A trackedDialer counts its dials, and the sockets of them that are still open, unless it gives
// them away raw.
type trackedDialer struct {
	rover.Dialer
	raw   bool
	dials atomic.Int64
	open  *atomic.Int64
}

func (d *trackedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d.dials.Add(1)
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil || d.raw {
		return conn, err
	}
	d.open.Add(1)
	return &trackedConn{Conn: conn, closed: sync.OnceFunc(func() { d.open.Add(-1) })}, nil
}

type trackedConn struct {
	net.Conn
	closed func()
}

// NetConn is the socket itself, for what only TCP can do.
func (c *trackedConn) NetConn() net.Conn { return c.Conn }

func (c *trackedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}
