//go:build unix

package socket

import (
	"net"
	"syscall"
)

// Arrived reads what has arrived already, without waiting for more, and returns
// how many bytes it read: 0 where there is no telling.
func Arrived(conn net.Conn, p []byte) (n int) {
	socket, ok := conn.(syscall.Conn)
	if !ok || len(p) == 0 {
		return 0
	}
	defer func() { _ = recover() }() // a nil pointer in a net.Conn, as in Refuse
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Read(func(fd uintptr) bool {
		n, _ = syscall.Read(int(fd), p)
		return true
	})
	return max(n, 0)
}
