package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// certificate makes httptest give away the one it has, for example.com.
func certificate() (serverSide, clientSide *tls.Config) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates},
		&tls.Config{RootCAs: roots, ServerName: "example.com"}
}

func TestTheLineGoesInsideTLS(t *testing.T) {
	serverSide, clientSide := certificate()
	var slots server.Slots
	hooks := newLog()
	inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide), hooks.option(&slots)...))(t)
	stop := serve(t, l, func(c net.Conn) { io.Copy(c, c) })
	dialed := func(want int) *tls.Conn {
		client := tls.Client(dial(t, l), clientSide)
		kit.Equal(t, "slot", slotOf(t, client), want)
		kit.Must(io.WriteString(client, "hello"))(t)
		answer := make([]byte, len("hello"))
		kit.Must(io.ReadFull(client, answer))(t)
		kit.Equal(t, "echo", string(answer), "hello")
		return client
	}
	clients := []*tls.Conn{dialed(0), dialed(1), dialed(2)}
	refuse(t, clients[1].NetConn())
	kit.Equal(t, "freed by reset", <-hooks.freed, 1)
	clients[1] = dialed(1)
	for _, c := range clients {
		kit.Check(t, c.Close())
	}
	stop()
	kit.Equal(t, "in use", slots.InUse(), 0)
}

// The line comes first in plain text where TLS is put on top of the Listener.
func TestTheLineGoesBeforeTLS(t *testing.T) {
	serverSide, clientSide := certificate()
	l := listen(t)
	serve(t, tls.NewListener(l, serverSide), func(c net.Conn) { io.Copy(c, c) })
	plain := dial(t, l)
	kit.Equal(t, "slot", slotOf(t, plain), 0)
	client := tls.Client(plain, clientSide)
	kit.Must(io.WriteString(client, "hello"))(t)
	kit.Check(t, client.CloseWrite())
	kit.Equal(t, "echo", string(kit.Must(io.ReadAll(client))(t)), "hello")
}

// A client that stalls the handshake holds no slot, and delays no other.
func TestAClientThatStallsTheHandshake(t *testing.T) {
	serverSide, clientSide := certificate()
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		failed := make(chan error, 1)
		inner := newPipes()
		l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide), server.WithSlots(&slots),
			server.WithOnError(func(err error) { failed <- err })))(t)
		serve(t, l, readToEnd)

		start := time.Now()
		stalling := inner.dial()
		synctest.Wait()
		eager := tls.Client(inner.dial(), clientSide)
		kit.Equal(t, "slot", slotOf(t, eager), 0)
		kit.Equal(t, "time to its line beside one who stalls", time.Since(start), 0)

		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		kit.Equal(t, "time to give up", time.Since(start), server.DefaultLineTimeout)
		if _, err := stalling.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the stalling one reads %v, want its connection closed", err)
		}
		kit.Equal(t, "in use", slots.InUse(), 1)
		kit.Check(t, eager.NetConn().Close())
	})
}

// Close does not wait for clients: not for one that stalls the handshake, and
// not for one that stopped reading, before the line or after it.
func TestCloseWithTLSPending(t *testing.T) {
	serverSide, clientSide := certificate()
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		inner := newPipes()
		l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide), server.WithSlots(&slots)))(t)
		accepted := make(chan net.Conn)
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		stalling := inner.dial()
		first := tls.Client(inner.dial(), clientSide)
		kit.Equal(t, "slot", slotOf(t, first), 0)
		ours := <-accepted
		go first.Write([]byte("x"))
		kit.Must(ours.Read(make([]byte, 1)))(t)
		silent := tls.Client(inner.dial(), clientSide)
		second := make(chan error)
		go func() {
			_, err := l.Accept()
			second <- err
		}()
		kit.Check(t, silent.Handshake())
		synctest.Wait()
		kit.Equal(t, "slots in use", slots.InUse(), 2)

		start := time.Now()
		kit.Check(t, l.Close())
		kit.Equal(t, "time to close", time.Since(start), 0)
		kit.Equal(t, "in use", slots.InUse(), 1)
		kit.Equal(t, "the second Accept", <-second, net.ErrClosed)
		kit.Check(t, ours.(*server.Conn).NetConn().(*tls.Conn).NetConn().Close())
		kit.Check(t, stalling.Close())
		kit.Check(t, silent.NetConn().Close())
		kit.Check(t, first.NetConn().Close())
		ours.Close()
		kit.Equal(t, "in use at the end", slots.InUse(), 0)
	})
}
