package socket

import (
	"syscall"
	"time"
)

const tcpMaxRT = 5 // TCP_MAXRT of ws2ipdef.h, in seconds

func setUserTimeout(fd uintptr, d time.Duration) {
	_ = syscall.SetsockoptInt(syscall.Handle(fd), syscall.IPPROTO_TCP, tcpMaxRT, seconds(d))
}
