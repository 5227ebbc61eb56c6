package server_test

import (
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/server"
)

func TestCloseEndsEveryAcceptThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := must(server.NewListener(newPipes()))(t)
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() {
				_, err := l.Accept()
				errs <- err
			}()
		}
		synctest.Wait()
		check(t, l.Close())
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

// Those in mid-greeting and those nobody has accepted yet are closed at once;
// those that somebody has are not.
func TestCloseWithConnectionsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		hooks := newLog()
		inner := newPipes()
		l := must(server.NewListener(inner, append(hooks.option(&slots),
			server.WithOnError(func(err error) { t.Errorf("told of what Close did: %v", err) }))...))(t)

		accepted := make(chan net.Conn)
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		silent := []net.Conn{inner.dial(), inner.dial()} // take slots 0 and 1 for the time being
		synctest.Wait()
		first, second := inner.dial(), inner.dial()
		equal(t, "slots", slotOf(t, first)+slotOf(t, second), 2+3)
		ours := <-accepted
		synctest.Wait()
		equal(t, "in use", slots.InUse(), 4)

		start := time.Now()
		check(t, l.Close())
		equal(t, "time to close", time.Since(start), 0)
		equal(t, "in use after Close", slots.InUse(), 1)
		equal(t, "given", len(hooks.given), 2)
		equal(t, "freed", len(hooks.freed), 1)

		open := 0
		for _, c := range append(silent, first, second) {
			c.SetReadDeadline(time.Now().Add(time.Second)) // fails where the other end is closed
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				open++
			}
			check(t, c.Close())
		}
		equal(t, "connections that live on", open, 1)
		check(t, ours.Close())
		equal(t, "in use at the end", slots.InUse(), 0)
	})
}

func TestCloseTwiceAndAtOnce(t *testing.T) {
	l := must(server.Listen("tcp", "127.0.0.1:0"))(t)
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
	l := must(server.Listen("tcp", "127.0.0.1:0", server.WithSlots(&slots)))(t)
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
	equal(t, "in use", slots.InUse(), 0)
}
