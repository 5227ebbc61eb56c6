package pool

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// How the pool knows that the other side has closed, without polling and
// without taking a byte from whoever borrows the connection next:
//
//   - a socket of the system's, bare or under TLS, is watched by the system
//     (poller, on Linux): nothing is to be done when it is lent or comes back;
//   - from anything else, say a net.Pipe, one goroutine reads while it is idle,
//     and the borrower gets what came (ahead).

// watch begins to look for the end. False: it is closed already, as far as can
// be known.
func (e *entry) watch() bool {
	if raw := rawOf(e.conn); raw != nil && e.pool.poller.add(e, raw) {
		e.peek = newPeek(raw)
		e.wrapped = !bare(e.conn)
		return true
	}
	// Nothing is changed by this: there is no deadline.
	err := e.conn.SetReadDeadline(time.Time{})
	if errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return false
	}
	e.ahead = newAhead(e.conn, func(err error) {
		if e.pool.lose(e, err) {
			e.shut()
		}
	})
	e.conn = e.ahead
	e.ahead.start()
	return true
}

// rawOf finds the system's socket under TLS and other wrappers, nil if there
// is none.
func rawOf(conn net.Conn) syscall.RawConn {
	for layer := range socket.Layers(conn) {
		if c, ok := layer.(syscall.Conn); ok {
			raw, err := c.SyscallConn()
			if err != nil {
				return nil
			}
			return raw
		}
	}
	return nil
}

// bare says that nothing is between the borrower and the system's socket.
func bare(conn net.Conn) bool {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}
