package socket

import (
	"syscall"
	"time"
)

const tcpUserTimeout = 18 // TCP_USER_TIMEOUT of tcp(7), in ms

func setUserTimeout(fd uintptr, d time.Duration) {
	ms := min(max(d.Milliseconds(), 1), 1<<31-1)
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(ms))
}
