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

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// A client that never reads holds its slot for the timeout, and delays no other.
func TestAClientThatNeverReads(t *testing.T) {
	for name, test := range map[string]struct {
		opts []server.Option
		want time.Duration
	}{
		"by default": {nil, 5 * time.Second},
		"by option":  {[]server.Option{server.WithLineTimeout(70 * time.Millisecond)}, 70 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var slots server.Slots
				failed := make(chan error, 1)
				inner := newPipes()
				l := kit.Must(server.NewListener(inner, append(test.opts, server.WithSlots(&slots),
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
				kit.Equal(t, "slot of the one who reads", slotOf(t, eager), 1)
				kit.Equal(t, "time to its line beside one who does not", time.Since(start), 10*time.Millisecond)

				err := <-failed
				kit.Equal(t, "time to give up", time.Since(start), test.want)
				if !errors.Is(err, os.ErrDeadlineExceeded) || err.Error() != "server: slot line for pipe: write pipe: i/o timeout" {
					t.Errorf("got %v", err)
				}
				kit.Equal(t, "slots in use", slots.InUse(), 1)
				if n, err := silent.Read(make([]byte, 1)); err == nil {
					t.Errorf("the silent one can read %d bytes, want its connection closed", n)
				}
				kit.Check(t, eager.Close())
				stop()
				kit.Equal(t, "slots in use at the end", slots.InUse(), 0)
			})
		})
	}
}

// The timeout is for the slot line alone: an idle connection stays open.
func TestNoDeadlineStaysBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(inner))(t)
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
		kit.Must(client.Write([]byte("x")))(t)
		kit.Equal(t, "after an hour", <-got, 'x')
		time.Sleep(time.Hour)
		kit.Must(client.Read(make([]byte, 1)))(t)
		kit.Check(t, client.Close())
	})
}

// Out of descriptors, the listener tries again in longer and longer pauses,
// which end with the first success.
func TestAcceptSurvivesTemporaryErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		var said []string
		l := kit.Must(server.NewListener(inner, server.WithOnError(func(err error) {
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
		kit.Check(t, client.Close())
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
		kit.Check(t, l.Close()) // in the pause
		kit.Equal(t, "time to close", time.Since(start), 5*ms)
		kit.Equal(t, "errors reported", len(said), 12)
		kit.Equal(t, "the last", said[11], "server: next try in 10ms: accept tcp: accept4: too many open files")
	})
}

// Any other error of the inner listener is Accept's to return, each time.
func TestAcceptReturnsLastingErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(inner))(t)
		broken := fmt.Errorf("broken")
		go func() { inner.queue <- broken }()
		for range 3 {
			if _, err := l.Accept(); err != broken {
				t.Errorf("got %v", err)
			}
		}
		kit.Check(t, l.Close())
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("after Close: got %v", err)
		}
	})
}

// A server that does not accept gives no slot away.
func TestNothingIsTakenWithoutAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slots server.Slots
		inner := newPipes()
		l := kit.Must(server.NewListener(inner, server.WithSlots(&slots)))(t)
		client, conn := net.Pipe()
		defer client.Close()
		waiting := true
		go func() {
			inner.queue <- conn
			waiting = false
		}()
		synctest.Wait()
		kit.Equal(t, "still with the inner listener", waiting, true)
		kit.Equal(t, "in use", slots.InUse(), 0)

		go readSlot(client)
		c := kit.Must(l.Accept())(t)
		synctest.Wait()
		kit.Equal(t, "still with the inner listener", waiting, false)
		kit.Equal(t, "in use", slots.InUse(), 1)
		kit.Check(t, c.Close())
		kit.Check(t, l.Close())
	})
}
