package rover

import (
	"net"
	"syscall"
	"testing"

	"github.com/callosum-go/rover/internal/socket"
)

// A socket of the default dialer has no probes, and then those that net.Dialer
// gives: by Keep, which TestAKeptSocketIsProbed is about.
func TestTheDefaultDialerLeavesProbesToKeep(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := func(d Dialer) net.Conn {
		conn, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	options := func(conn net.Conn) (all [4]int) {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			all[0], _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
			for i, option := range []int{syscall.TCP_KEEPIDLE, syscall.TCP_KEEPINTVL, syscall.TCP_KEEPCNT} {
				all[i+1], _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option)
			}
		})
		return all
	}
	ours, usual := dial(defaultDialer), dial(&net.Dialer{})
	if got := options(ours); got[0] != 0 {
		t.Errorf("probed before anybody keeps it: %v", got)
	}
	socket.Ready(ours, true)
	if got, want := options(ours), options(usual); got != want || want[0] != 1 {
		t.Errorf("on, idle, interval, count are %v, want %v", got, want)
	}
}
