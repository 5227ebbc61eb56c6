package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen is a listener on loopback TCP until the test ends.
func listen(t testing.TB, opts ...server.Option) *server.Listener {
	t.Helper()
	l := kit.Must(server.Listen("tcp", "127.0.0.1:0", opts...))(t)
	t.Cleanup(func() { kit.Check(t, l.Close()) })
	return l
}

// dial connects to l, until the test ends.
func dial(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	c := kit.Must(net.Dial("tcp", l.Addr().String()))(t)
	t.Cleanup(func() { c.Close() })
	return c
}

// readSlot reads a slot line and not a byte more.
func readSlot(r io.Reader) (int, error) {
	var line []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(line), "\n"); line = append(line, b...) {
		if _, err := io.ReadFull(r, b); err != nil {
			return 0, fmt.Errorf("after %q: %w", line, err)
		}
	}
	digits, ok := strings.CutSuffix(string(line), "\r\n")
	slot, err := strconv.Atoi(digits)
	if !ok || err != nil || strconv.Itoa(slot) != digits {
		return 0, fmt.Errorf("not a slot line: %q", line)
	}
	return slot, nil
}

func slotOf(t testing.TB, r io.Reader) int {
	t.Helper()
	return kit.Must(readSlot(r))(t)
}

func refuse(t testing.TB, c net.Conn) {
	t.Helper()
	kit.Check(t, c.(*net.TCPConn).SetLinger(0))
	kit.Check(t, c.Close())
}

// accept is one connection of l.
func accept(t testing.TB, l net.Listener) *server.Conn {
	t.Helper()
	c := kit.Must(l.Accept())(t).(*server.Conn)
	t.Cleanup(func() { c.Close() })
	return c
}

// serve runs handle on each connection of l and closes it. stop, at the latest
// at the test's end, closes l and waits until all have returned.
func serve(t testing.TB, l net.Listener, handle func(net.Conn)) (stop func()) {
	t.Helper()
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("accept: %v", err)
				}
				return
			}
			tasks.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	stop = sync.OnceFunc(func() {
		kit.Check(t, l.Close())
		tasks.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func readToEnd(c net.Conn) { io.Copy(io.Discard, struct{ io.Reader }{c}) }

// log collects what the listener's hooks report.
type log struct{ given, freed chan int }

func newLog() log { return log{make(chan int, 1000), make(chan int, 1000)} }

func (l log) option(s *server.Slots) []server.Option {
	return []server.Option{
		server.WithSlots(s),
		server.WithOnGiven(func(c *server.Conn) { l.given <- c.Slot() }),
		server.WithOnFreed(func(c *server.Conn) { l.freed <- c.Slot() }),
	}
}
