package server_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callosum-go/rover/server"
)

// One that never reads holds its slot for the greet timeout, and keeps nobody
// waiting meanwhile.
func TestAClientThatNeverReads(t *testing.T) {
	for name, test := range map[string]struct {
		opts []server.Option
		want time.Duration
	}{
		"by default": {nil, 5 * time.Second},
		"by option":  {[]server.Option{server.WithGreetTimeout(70 * time.Millisecond)}, 70 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var slots server.Slots
				failed := make(chan error, 1)
				inner := newPipes()
				l := must(server.NewListener(inner, append(test.opts, server.WithSlots(&slots),
					server.WithOnGiven(func(c *server.Conn) {
						if c.Slot() != 1 {
							t.Errorf("given: slot %d", c.Slot())
						}
					}),
					server.WithOnError(func(err error) { failed <- err }))...))(t)
				stop := serve(t, l, readToEnd)

				start := time.Now()
				silent := inner.dial()
				synctest.Wait()
				eager := inner.dial()
				equal(t, "slot of the one who reads", slotOf(t, eager), 1)
				equal(t, "time to be greeted beside one who does not", time.Since(start), 0)

				err := <-failed
				equal(t, "time to give up", time.Since(start), test.want)
				if !errors.Is(err, os.ErrDeadlineExceeded) || err.Error() != "server: greeting pipe: write pipe: i/o timeout" {
					t.Errorf("got %v", err)
				}
				equal(t, "slots in use", slots.InUse(), 1)
				if n, err := silent.Read(make([]byte, 1)); err == nil {
					t.Errorf("the silent one can read %d bytes, want its connection closed", n)
				}
				check(t, eager.Close())
				stop()
				equal(t, "slots in use at the end", slots.InUse(), 0)
			})
		})
	}
}

// The timeout is the greeting's; an idle connection lives on.
func TestNoDeadlineStaysBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := must(server.NewListener(inner))(t)
		defer l.Close()
		got := make(chan byte)
		serve(t, l, func(c net.Conn) {
			b := make([]byte, 1)
			if _, err := c.Read(b); err != nil {
				t.Error(err)
			}
			got <- b[0]
			if _, err := c.Write(b); err != nil {
				t.Error(err)
			}
		})
		client := inner.dial()
		slotOf(t, client)
		time.Sleep(time.Hour)
		must(client.Write([]byte("x")))(t)
		equal(t, "after an hour", <-got, 'x')
		time.Sleep(time.Hour)
		must(client.Read(make([]byte, 1)))(t)
		check(t, client.Close())
	})
}

// Out of descriptors, the listener tries again in longer and longer pauses,
// which end with the first success.
func TestAcceptSurvivesTemporaryErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		var said []string
		l := must(server.NewListener(inner, server.WithOnError(func(err error) {
			if !errors.Is(err, syscall.EMFILE) {
				t.Errorf("got %v", err)
			}
			said = append(said, err.Error())
		})))(t)
		serve(t, l, readToEnd)

		emfile := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		start := time.Now()
		var pauses []time.Duration
		for range 10 {
			inner.queue <- emfile
			pauses = append(pauses, time.Since(start))
			start = time.Now()
		}
		client := inner.dial()
		slotOf(t, client)
		check(t, client.Close())
		synctest.Wait()
		start = time.Now()
		inner.queue <- emfile
		inner.queue <- emfile
		pauses = append(pauses, time.Since(start))

		const ms = time.Millisecond
		want := []time.Duration{0, 5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, 1000 * ms, 5 * ms}
		if diff := cmp.Diff(want, pauses); diff != "" {
			t.Error(diff)
		}
		check(t, l.Close()) // in the pause
		equal(t, "time to close", time.Since(start), 5*ms)
		equal(t, "errors told", len(said), 12)
		equal(t, "the last", said[11], "server: next try in 10ms: accept tcp: accept4: too many open files")
	})
}

// Any other error of the inner listener is Accept's to return, each time.
func TestAcceptReturnsLastingErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := must(server.NewListener(inner))(t)
		broken := fmt.Errorf("broken")
		go func() { inner.queue <- broken }()
		for range 3 {
			if _, err := l.Accept(); err != broken {
				t.Errorf("got %v", err)
			}
		}
		check(t, l.Close())
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("after Close: got %v", err)
		}
	})
}

// A server that does not accept lets nobody in and gives no slot away.
func TestNothingIsTakenWithoutAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		inner := newPipes()
		l := must(server.NewListener(inner, server.WithSlots(&slots)))(t)
		client, conn := net.Pipe()
		defer client.Close()
		waiting := true
		go func() {
			inner.queue <- conn
			waiting = false
		}()
		synctest.Wait()
		equal(t, "still with the inner listener", waiting, true)
		equal(t, "in use", slots.InUse(), 0)

		go readSlot(client)
		c := must(l.Accept())(t)
		synctest.Wait()
		equal(t, "still with the inner listener", waiting, false)
		equal(t, "in use", slots.InUse(), 1)
		check(t, c.Close())
		check(t, l.Close())
	})
}
