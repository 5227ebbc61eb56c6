package socket

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// IsLocal says whether an error is this process's or host's own limit, for
// which the other side is not to blame.
// A failed lookup keeps no more than the text of its cause.
func IsLocal(err error) bool {
	var lookup *net.DNSError
	errors.As(err, &lookup)
	for _, limit := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS} {
		if errors.Is(err, limit) || lookup != nil && strings.Contains(lookup.Err, limit.Error()) {
			return true
		}
	}
	return false
}

// Timeout is the error of an attempt that ran out of time, whatever its
// dialer, or the read from the socket we closed, called that.
func Timeout(err error, conn net.Conn) error {
	var known net.Error
	if errors.As(err, &known) && known.Timeout() {
		return err
	}
	if conn == nil {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	}
	return &net.OpError{Op: "read", Net: "tcp", Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: os.ErrDeadlineExceeded}
}
