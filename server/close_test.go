package server_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

func TestCloseEndsEveryAcceptThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := kit.Must(server.NewListener(newPipes()))(t)
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() {
				_, err := l.Accept()
				errs <- err
			}()
		}
		synctest.Wait()
		kit.Check(t, l.Close())
		for range cap(errs) {
			if err := <-errs; err != net.ErrClosed {
				t.Errorf("got %v, want %v", err, net.ErrClosed)
			}
		}
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("later: got %v, want %v", err, net.ErrClosed)
		}
	})
}

// Close closes at once what Accept has not returned, with or without its slot
// line, and what nobody has used. What is used stays open.
func TestCloseWithConnectionsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		hooks := newLog()
		inner := newPipes()
		l := kit.Must(server.NewListener(inner, append(hooks.option(&slots),
			server.WithOnError(func(err error) { t.Errorf("reported what Close did: %v", err) }))...))(t)

		conns := make(chan net.Conn, 4)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				conns <- c
			}
		}()
		silent := []net.Conn{inner.dial(), inner.dial()} // take slots 0 and 1 until Close
		unused := inner.dial()
		kit.Equal(t, "slot", slotOf(t, unused), 2)
		used := inner.dial()
		kit.Equal(t, "slot", slotOf(t, used), 3)
		first, second := <-conns, <-conns
		theirs := map[int]net.Conn{first.(*server.Conn).Slot(): first, second.(*server.Conn).Slot(): second}[3]
		go used.Write([]byte("x"))
		kit.Must(theirs.Read(make([]byte, 1)))(t)
		synctest.Wait()
		kit.Equal(t, "in use", slots.InUse(), 4)

		start := time.Now()
		kit.Check(t, l.Close())
		kit.Equal(t, "time to close", time.Since(start), 0)
		kit.Equal(t, "in use after Close", slots.InUse(), 1)
		kit.Equal(t, "given", len(hooks.given), 2)
		kit.Equal(t, "freed", len(hooks.freed), 1)
		kit.Equal(t, "refused by Close", l.Stats().Refused.Close, 2)

		for _, c := range append(silent, unused) {
			if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("read %d bytes, %v; want the end", n, err)
			}
		}
		used.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := used.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the one that is used: %v, want it open", err)
		}
		kit.Check(t, first.Close())
		kit.Check(t, second.Close())
		kit.Equal(t, "in use at the end", slots.InUse(), 0)
	})
}

func TestCloseTwiceAndAtOnce(t *testing.T) {
	l := kit.Must(server.Listen("tcp", "127.0.0.1:0"))(t)
	var tasks sync.WaitGroup
	for range 8 {
		tasks.Go(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if _, err := l.Accept(); err != net.ErrClosed {
				t.Errorf("got %v", err)
			}
		})
	}
	tasks.Wait()
}

// Clients that come and go while the listener closes leave nothing behind.
func TestCloseAmongClients(t *testing.T) {
	var slots server.Slots
	l := kit.Must(server.Listen("tcp", "127.0.0.1:0", server.WithSlots(&slots)))(t)
	stop := serve(t, l, readToEnd)
	var clients sync.WaitGroup
	begun := make(chan struct{}, 100)
	for range 4 {
		clients.Go(func() {
			for {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					return // closed
				}
				begun <- struct{}{}
				c.(*net.TCPConn).SetLinger(0)
				c.Read(make([]byte, 1))
				c.Close()
				if len(begun) > 20 {
					return
				}
			}
		})
	}
	for range 10 {
		<-begun
	}
	stop()
	clients.Wait()
	kit.Equal(t, "in use", slots.InUse(), 0)
}
