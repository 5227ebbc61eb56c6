package rover_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/socket"
)

// probes returns when keep-alive probes begin, in idle seconds; 0: never.
func probes(t *testing.T, conn net.Conn) int {
	t.Helper()
	for layer := range socket.Layers(conn) {
		conn = layer
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var on, idle int
	if err := raw.Control(func(fd uintptr) {
		on, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
		idle, _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
	}); err != nil {
		t.Fatal(err)
	}
	return on * idle
}

// What somebody keeps is probed as net.Dialer would have it, and a dialer that
// was given is taken at its word.
func TestAKeptSocketIsProbed(t *testing.T) {
	for name, c := range map[string]struct {
		line   string
		dialer *net.Dialer
		want   int
	}{
		"no dialer given":           {"13\r\n", nil, 15},
		"and more behind the line":  {"13\r\nHELLO", nil, 15},
		"a dialer as it comes":      {"13\r\n", &net.Dialer{}, 15},
		"a dialer without probes":   {"13\r\n", &net.Dialer{KeepAlive: -1}, 0},
		"a dialer with late probes": {"13\r\n", &net.Dialer{KeepAlive: time.Minute}, 60},
	} {
		server, _ := kit.ServeLine(t, c.line, nil)
		var opts []rover.Option
		if c.dialer != nil {
			opts = append(opts, rover.WithDialer(c.dialer))
		}
		_, found := kit.Find(t, server, opts...)
		conn, err := found.Keep()
		if err != nil {
			t.Fatal(name, err)
		}
		if got := probes(t, conn); got != c.want {
			t.Errorf("%s: probed after %d s, want %d", name, got, c.want)
		}
		conn.Close()
	}
}
