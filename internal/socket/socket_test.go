package socket

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a real connection over loopback.
func pair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// wrapper is what a proxy's or a user's dialer may return.
type wrapper struct {
	net.Conn
	closed int
}

func (w *wrapper) NetConn() net.Conn { return w.Conn }
func (w *wrapper) Close() error      { w.closed++; return w.Conn.Close() }

func TestRefuseResets(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"plain":   func(c net.Conn) net.Conn { return c },
		"wrapped": func(c net.Conn) net.Conn { return &wrapper{Conn: &wrapper{Conn: c}} },
		"TLS":     func(c net.Conn) net.Conn { return tls.Client(c, &tls.Config{InsecureSkipVerify: true}) },
	} {
		client, server := pair(t)
		wrapped := wrap(client)
		Refuse(wrapped)
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the server reads %v, want a reset", name, err)
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: not closed: %v", name, err)
		}
		if w, ok := wrapped.(*wrapper); ok && w.closed != 1 {
			t.Errorf("%s: the outermost was closed %d times", name, w.closed)
		}
		Refuse(wrapped) // once more does no harm
	}
	Refuse(nil)
}

// selfish returns itself, which must not send us round in circles.
type selfish struct{ *wrapper }

func (s selfish) NetConn() net.Conn { return s }

func TestRefuseEndsWithOddWrappers(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	Refuse(selfish{&wrapper{Conn: client}})
	Refuse(&wrapper{Conn: client})
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}
