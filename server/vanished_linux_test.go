package server_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// A client whose system answers no more: here one that takes nothing, which is
// the same to the system that waits for it. Its slot is free in a bounded time.
func TestTheSlotOfAVanishedClientIsFree(t *testing.T) {
	l := listen(t, server.WithUnanswered(500*time.Millisecond))
	client := dial(t, l)
	kit.Check(t, client.(*net.TCPConn).SetReadBuffer(4096))
	c := accept(t, l)
	var err error
	for start := time.Now(); err == nil && time.Since(start) < time.Minute; {
		c.SetWriteDeadline(time.Now().Add(time.Minute))
		_, err = c.Write(make([]byte, 1<<16))
	}
	if !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("Write: %v, want %v", err, syscall.ETIMEDOUT)
	}
	kit.Equal(t, "in use", l.Stats().InUse, 0)
}

// Default and option reach the socket.
func TestTheDefaultIsSetOnEachSocket(t *testing.T) {
	for want, opts := range map[int][]server.Option{
		30_000: nil,
		0:      {server.WithUnanswered(0)},
		7_000:  {server.WithUnanswered(7 * time.Second)},
	} {
		l := listen(t, opts...)
		dial(t, l)
		raw := kit.Must(accept(t, l).NetConn().(*net.TCPConn).SyscallConn())(t)
		raw.Control(func(fd uintptr) {
			const tcpUserTimeout = 18
			kit.Equal(t, "TCP_USER_TIMEOUT", kit.Must(syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout))(t), want)
		})
	}
}
