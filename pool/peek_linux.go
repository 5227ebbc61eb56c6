package pool

import (
	"io"
	"syscall"
)

// A peek looks whether bytes have come that nobody has read, and takes none. It
// is made once a connection, so that a look allocates nothing.
type peek struct {
	raw  syscall.RawConn
	look func(fd uintptr)
	seen error
	buf  [1]byte
}

func newPeek(raw syscall.RawConn) *peek {
	p := &peek{raw: raw}
	p.look = func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), p.buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == syscall.EAGAIN, err == syscall.EINTR:
			p.seen = nil
		case err != nil:
			p.seen = err
		case n == 0:
			p.seen = io.EOF
		default:
			p.seen = Unread
		}
	}
	return p
}

// state is Unread, how the other side has ended, or nil. It is called by one at
// a time: by who has the connection.
func (p *peek) state() error {
	if p == nil {
		return nil
	}
	if err := p.raw.Control(p.look); err != nil {
		return err
	}
	return p.seen
}
