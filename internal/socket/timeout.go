package socket

import (
	"errors"
	"net"
	"os"
)

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
