package kit

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/callosum-go/rover"
)

// A DialFunc is a Dialer.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext calls f.
func (f DialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// A SlotDialer dials pipes whose other ends write the slots 0, 1, 2, … in the
// order of the dials.
type SlotDialer struct {
	Dials     atomic.Int64
	Connected atomic.Int64 // of those, how many clients have not closed yet
}

// DialContext makes a connection, whatever the address.
func (d *SlotDialer) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	slot := d.Dials.Add(1) - 1
	d.Connected.Add(1)
	go func() {
		defer d.Connected.Add(-1)
		defer server.Close()
		if _, err := fmt.Fprintf(server, "%d\r\n", slot); err == nil {
			_, _ = io.Copy(io.Discard, server) // until the client is gone
		}
	}()
	return client, nil
}

// ServeLine writes a line to one connection after the other on a loopback
// address, and hands them over, until the test ends. wrap may be nil.
func ServeLine(t testing.TB, line string, wrap func(net.Listener) net.Listener) (rover.Server, <-chan net.Conn) {
	t.Helper()
	l := Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	address := l.Addr().(*net.TCPAddr)
	if wrap != nil {
		l = wrap(l)
	}
	conns := make(chan net.Conn, 100)
	t.Cleanup(func() {
		l.Close()
		for conn := range conns {
			conn.Close()
		}
	})
	go func() {
		defer close(conns)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, line)
			conns <- conn
		}
	}()
	return rover.Server{Host: "127.0.0.1", Port: address.Port}, conns
}
