package server_test

import (
	"crypto/tls"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// TLS behind the line: what refuses or leaves is no line in the server's log,
// and what asks is answered.
func TestClientFirstUnderServeTLS(t *testing.T) {
	serverSide, clientSide := certificate()
	var log lines
	l := listen(t, server.WithClientFirst())
	s := &http.Server{Handler: http.HandlerFunc(echo), TLSConfig: serverSide, ErrorLog: stdlog.New(&log, "", 0)}
	stop := run(t, s, l, func(l net.Listener) error { return s.ServeTLS(l, "", "") })
	for range 50 {
		refused, left := dial(t, l), dial(t, l)
		slotOf(t, refused)
		slotOf(t, left)
		refuse(t, refused)
		kit.Check(t, left.Close())
	}
	plain := dial(t, l)
	slotOf(t, plain)
	client := tls.Client(plain, clientSide)
	kit.Must(io.WriteString(client, "GET / HTTP/1.0\r\n\r\n"))(t)
	if answer := kit.Must(io.ReadAll(client))(t); len(answer) == 0 {
		t.Error("no answer")
	}
	stop()
	kit.Equal(t, "log lines", log.count("\n"), 0)
	stats := l.Stats()
	kit.Equal(t, "accepted", stats.Accepted, 1)
	kit.Equal(t, "refused", stats.Refused.Client+stats.Refused.Close, 100)
	kit.Equal(t, "in use", stats.InUse, 0)
}

// Accept gets the one that has spoken, whole; the limit is of those that have
// not; Close ends them.
func TestClientFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(inner, server.WithClientFirst(), server.WithMaxWaiting(3)))(t)
		conns := make(chan net.Conn)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					close(conns)
					return
				}
				conns <- c
			}
		}()
		silent := inner.dial()
		kit.Equal(t, "slot", slotOf(t, silent), 0)
		speaks := inner.dial()
		kit.Equal(t, "slot", slotOf(t, speaks), 1)
		numbers(t, inner, 1)
		beyond := inner.dial()
		if _, err := readSlot(beyond); err == nil {
			t.Error("a line beyond the limit")
		}
		time.Sleep(time.Hour)
		kit.Equal(t, "waiting", l.Stats().Waiting, 3)
		go speaks.Write([]byte("hello"))
		c := <-conns
		kit.Equal(t, "waiting", l.Stats().Waiting, 2)
		got := make([]byte, 5)
		kit.Must(io.ReadFull(c, got))(t)
		kit.Equal(t, "what it says", string(got), "hello")
		kit.Equal(t, "slot", c.(*server.Conn).Slot(), 1)

		kit.Check(t, l.Close())
		if _, err := silent.Read(got); err != io.EOF {
			t.Errorf("the silent one reads %v", err)
		}
		kit.Equal(t, "in use", l.Stats().InUse, 1)
		kit.Check(t, c.Close())
		<-conns
	})
}

// What is waiting for its first byte is drained too.
func TestDrainOfThoseThatHaveNotSpoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, l := serving(t, server.WithClientFirst())
		numbers(t, inner, 3)
		kit.Check(t, l.Drain(t.Context()))
		synctest.Wait()
		kit.Equal(t, "in use", l.Stats().InUse, 0)
	})
}
