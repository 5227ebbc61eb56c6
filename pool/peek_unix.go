//go:build unix

package pool

import "syscall"

// A peek looks whether bytes have come that nobody has read, and takes none. It
// is made once a connection, so that a look allocates nothing.
type peek struct {
	raw  syscall.RawConn
	look func(fd uintptr)
	came bool
	buf  [1]byte
}

func newPeek(raw syscall.RawConn) *peek {
	p := &peek{raw: raw}
	p.look = func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), p.buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.came = err == nil && n > 0
	}
	return p
}

// arrived is called by one at a time: by who has the connection.
func (p *peek) arrived() bool {
	return p != nil && p.raw.Control(p.look) == nil && p.came
}
