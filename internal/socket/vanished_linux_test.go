package socket

import (
	"syscall"
	"testing"
	"time"
)

func TestUserTimeoutIsSet(t *testing.T) {
	for d, want := range map[time.Duration]int{
		0:                       0, // as it was
		time.Nanosecond:         1,
		1500 * time.Millisecond: 1500,
		1 << 62:                 1<<31 - 1,
	} {
		ours, _ := connected(t)
		SetUserTimeout(wrapped{ours}, d)
		raw, err := ours.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
			if err != nil || got != want {
				t.Errorf("%v: got %d ms, %v, want %d", d, got, err, want)
			}
		})
	}
	SetUserTimeout(nil, time.Second)
}
