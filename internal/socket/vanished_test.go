package socket

import (
	"net"
	"runtime"
	"testing"
)

// Lost knows a connection that was reset, or closed by ourselves, and no other.
func TestLost(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("no telling here")
	}
	for name, test := range map[string]struct {
		end  func(ours, theirs *net.TCPConn)
		want bool
	}{
		"open":          {func(_, _ *net.TCPConn) {}, false},
		"reset":         {func(_, theirs *net.TCPConn) { theirs.SetLinger(0); theirs.Close() }, true},
		"half-closed":   {func(_, theirs *net.TCPConn) { theirs.CloseWrite() }, false},
		"we half-close": {func(ours, _ *net.TCPConn) { ours.CloseWrite() }, false},
		"we close":      {func(ours, _ *net.TCPConn) { ours.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := connected(t)
			test.end(ours, theirs)
			if test.want && name == "reset" {
				for _, err := ours.Read(make([]byte, 1)); err == nil; _, err = ours.Read(make([]byte, 1)) {
				}
			}
			if got, known := Lost(wrapped{ours}); got != test.want || !known {
				t.Errorf("got %v, %v, want %v", got, known, test.want)
			}
		})
	}
	client, _ := net.Pipe()
	if lost, known := Lost(client); lost || known {
		t.Error("of a pipe there is no telling")
	}
	if lost, known := Lost(nil); lost || known {
		t.Error("none is lost")
	}
}

type wrapped struct{ *net.TCPConn }

func (w wrapped) NetConn() net.Conn { return w.TCPConn }

func connected(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); conn.Close() })
	return conn.(*net.TCPConn), client.(*net.TCPConn)
}
