//go:build !plan9

package faulty

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// pipeDialer makes a pipe to its server with each dial.
type pipeDialer struct {
	server *Server
	door   Door
}

func (d *pipeDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch d.door {
	case Full:
		return hang(ctx, network)
	case Refuses:
		return nil, failed("connect", syscall.ECONNREFUSED, network)
	}
	if err := ctx.Err(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	client, server := newPipe()
	script := d.server.script
	if d.door == Unattended {
		script = Script{Forget()}
	}
	d.server.play(server, script)
	return client, nil
}

// pipeEnd is one end of a pipe that, unlike net.Pipe's, can be half-closed and reset, and takes
// deadlines when the other end is gone: two pipes, one a direction.
type pipeEnd struct {
	in, out net.Conn
	reset   *atomic.Bool // of both ends
	closed  atomic.Bool
}

func newPipe() (client, server *pipeEnd) {
	toClient, fromServer := net.Pipe()
	toServer, fromClient := net.Pipe()
	reset := new(atomic.Bool)
	return &pipeEnd{in: toClient, out: fromClient, reset: reset}, &pipeEnd{in: toServer, out: fromServer, reset: reset}
}

func (e *pipeEnd) Read(b []byte) (int, error) {
	n, err := e.in.Read(b)
	switch {
	case err == io.EOF && e.reset.Load():
		err = &net.OpError{Op: "read", Net: "pipe", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	case err == io.ErrClosedPipe:
		err = &net.OpError{Op: "read", Net: "pipe", Err: net.ErrClosed}
	}
	return n, err
}

func (e *pipeEnd) Write(b []byte) (int, error) { return e.out.Write(b) }
func (e *pipeEnd) CloseWrite() error           { return e.out.Close() }

func (e *pipeEnd) Close() error {
	e.closed.Store(true)
	return errors.Join(e.out.Close(), e.in.Close())
}

func (e *pipeEnd) Reset() error {
	e.reset.Store(true)
	return e.Close()
}

func (e *pipeEnd) LocalAddr() net.Addr  { return e.in.LocalAddr() }
func (e *pipeEnd) RemoteAddr() net.Addr { return e.in.RemoteAddr() }

func (e *pipeEnd) SetDeadline(t time.Time) error {
	return errors.Join(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}

func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	return e.unlessOpen(e.in.SetReadDeadline(t))
}

func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	return e.unlessOpen(e.out.SetWriteDeadline(t))
}

// unlessOpen returns a deadline's error only when this end is closed. A net.Pipe also refuses a
// deadline when its other end is closed; a socket does not.
func (e *pipeEnd) unlessOpen(err error) error {
	if err != nil && e.closed.Load() {
		return &net.OpError{Op: "set", Net: "pipe", Err: net.ErrClosed}
	}
	return nil
}
