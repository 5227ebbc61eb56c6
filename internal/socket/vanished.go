package socket

import (
	"net"
	"syscall"
	"time"
)

// SetUserTimeout sets, for a connection (Linux does not inherit it from the
// listener), how long what we send, or a keep-alive probe, may go
// unanswered before the system gives the connection up; 0 leaves it as it is. It
// does nothing where the system has no such thing, or where there is no TCP
// socket under conn.
func SetUserTimeout(conn net.Conn, d time.Duration) {
	if d <= 0 {
		return
	}
	defer func() { _ = recover() }() // as in Refuse
	tcp := tcpOf(conn)
	if tcp == nil {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { setUserTimeout(fd, d) })
	}
}

func tcpOf(conn net.Conn) (tcp *net.TCPConn) {
	for layer := range Layers(conn) {
		if found, ok := layer.(*net.TCPConn); ok {
			tcp = found
		}
	}
	return tcp
}

// Lost asks the system whether the connection works in neither direction any
// more: reset, timed out, or closed by ourselves; and whether it could tell.
func Lost(conn net.Conn) (lost, known bool) {
	defer func() { _ = recover() }() // as in Refuse
	var socket syscall.Conn
	for layer := range Layers(conn) {
		if found, ok := layer.(syscall.Conn); ok {
			socket = found
		}
	}
	if socket == nil {
		return false, false
	}
	raw, err := socket.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { lost, known = hasNoPeer(fd) })
	}
	if err != nil { // closed
		return true, true
	}
	return lost, known
}
