package socket

import (
	"errors"
	"net"
	"os"
)

// Timeout is the error of an attempt that ran out of time, whatever its
// dialer, or the read from the socket we closed, called that.
func Timeout(err error, conn net.Conn) (timeout error) {
	var known net.Error
	if errors.As(err, &known) && known.Timeout() {
		return err
	}
	if conn == nil {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	}
	read := &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	timeout = read
	defer func() { _ = recover() }() // as in Refuse
	read.Source, read.Addr = conn.LocalAddr(), conn.RemoteAddr()
	return read
}
