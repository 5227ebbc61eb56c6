package server_test

import (
	"errors"
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

// Close closes the connections that Accept has not returned, with or without
// their slot line, at once. Those that Accept has returned stay open.
func TestCloseWithConnectionsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		hooks := newLog()
		inner := newPipes()
		l := kit.Must(server.NewListener(inner, append(hooks.option(&slots),
			server.WithOnError(func(err error) { t.Errorf("told of what Close did: %v", err) }))...))(t)

		accepted := make(chan net.Conn)
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		silent := []net.Conn{inner.dial(), inner.dial()} // take slots 0 and 1 until Close
		synctest.Wait()
		first, second := inner.dial(), inner.dial()
		kit.Equal(t, "slots", slotOf(t, first)+slotOf(t, second), 2+3)
		ours := <-accepted
		synctest.Wait()
		kit.Equal(t, "in use", slots.InUse(), 4)

		start := time.Now()
		kit.Check(t, l.Close())
		kit.Equal(t, "time to close", time.Since(start), 0)
		kit.Equal(t, "in use after Close", slots.InUse(), 1)
		kit.Equal(t, "given", len(hooks.given), 2)
		kit.Equal(t, "freed", len(hooks.freed), 1)

		open := 0
		for _, c := range append(silent, first, second) {
			c.SetReadDeadline(time.Now().Add(time.Second)) // fails where the other end is closed
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				open++
			}
			kit.Check(t, c.Close())
		}
		kit.Equal(t, "connections that live on", open, 1)
		kit.Check(t, ours.Close())
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
