package server_test

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

func TestSlotLinesComeInOrder(t *testing.T) {
	var slots server.Slots
	l := listen(t, server.WithSlots(&slots))
	for want := range 12 {
		client := dial(t, l)
		c := accept(t, l)
		kit.Equal(t, "slot read", slotOf(t, client), want)
		kit.Equal(t, "slot of the Conn", c.Slot(), want)
	}
	kit.Equal(t, "in use", slots.InUse(), 12)
}

func TestTheLowestFreedSlotIsNext(t *testing.T) {
	l := listen(t)
	var conns []*server.Conn
	for range 6 {
		dial(t, l)
		conns = append(conns, accept(t, l))
	}
	slices.SortFunc(conns, func(a, b *server.Conn) int { return a.Slot() - b.Slot() })
	for _, slot := range []int{4, 1, 3} {
		kit.Check(t, conns[slot].Close())
	}
	for _, want := range []int{1, 3, 4, 6} {
		client := dial(t, l)
		accept(t, l)
		kit.Equal(t, "slot", slotOf(t, client), want)
	}
}

func TestBytesBehindTheLineAreUntouched(t *testing.T) {
	l := listen(t)
	client := dial(t, l)
	c := accept(t, l)
	kit.Must(io.WriteString(c, "HELLO"))(t)
	kit.Must(io.WriteString(client, "hello to you"))(t)
	kit.Check(t, client.(*net.TCPConn).CloseWrite())
	kit.Equal(t, "what the server read", string(kit.Must(io.ReadAll(c))(t)), "hello to you")
	kit.Check(t, c.Close())
	kit.Equal(t, "what the client read", string(kit.Must(io.ReadAll(client))(t)), "0\r\nHELLO")
}

func TestSlotsAreSharedAmongListeners(t *testing.T) {
	var slots server.Slots
	tcp := listen(t, server.WithSlots(&slots))
	unix := kit.Must(server.Listen("unix", filepath.Join(t.TempDir(), "s"), server.WithSlots(&slots)))(t)
	defer unix.Close()

	first := dial(t, tcp)
	accept(t, tcp)
	second := kit.Must(net.Dial("unix", unix.Addr().String()))(t)
	defer second.Close()
	accept(t, unix)
	kit.Equal(t, "slot by TCP", slotOf(t, first), 0)
	kit.Equal(t, "slot by Unix socket", slotOf(t, second), 1)
}

// For each slot the hooks report given and freed in turn, under load too.
func TestHooksReportGivenAndFreedInTurn(t *testing.T) {
	var mu sync.Mutex
	held := map[int]*server.Conn{}
	given := 0
	var slots server.Slots
	l := listen(t, server.WithSlots(&slots),
		server.WithOnGiven(func(c *server.Conn) {
			mu.Lock()
			defer mu.Unlock()
			if held[c.Slot()] != nil {
				t.Errorf("slot %d is given twice", c.Slot())
			}
			held[c.Slot()] = c
			given++
		}),
		server.WithOnFreed(func(c *server.Conn) {
			mu.Lock()
			defer mu.Unlock()
			if held[c.Slot()] != c {
				t.Errorf("slot %d is freed by one who does not have it", c.Slot())
			}
			delete(held, c.Slot())
		}))
	stop := serve(t, l, readToEnd)

	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 10 {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := readSlot(c); err != nil {
					t.Error(err)
				}
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		})
	}
	clients.Wait()
	stop()
	kit.Equal(t, "given", given, 80)
	kit.Equal(t, "held", len(held), 0)
	kit.Equal(t, "in use", slots.InUse(), 0)
}

// The next owner has its line at once, but is reported after the last one.
func TestGivenIsReportedAfterFreed(t *testing.T) {
	const rounds = 20
	reports := make(chan string, 2*rounds)
	free, hasLine := make(chan struct{}), make(chan struct{})
	l := listen(t,
		server.WithOnGiven(func(*server.Conn) { reports <- "given" }),
		server.WithOnFreed(func(*server.Conn) {
			free <- struct{}{}
			<-hasLine // the next owner
			reports <- "freed"
		}))
	stop := serve(t, l, readToEnd)
	for round := range rounds {
		client := dial(t, l)
		kit.Equal(t, "slot", slotOf(t, client), 0)
		if round > 0 {
			hasLine <- struct{}{}
		}
		refuse(t, client)
		<-free
	}
	close(hasLine)
	stop()
	for range rounds {
		kit.Equal(t, "reported", <-reports, "given")
		kit.Equal(t, "reported", <-reports, "freed")
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	inner := newPipes()
	got := map[string]string{}
	for name, opt := range map[string]server.Option{
		"slots":    server.WithSlots(nil),
		"zero":     server.WithLineTimeout(0),
		"negative": server.WithLineTimeout(-time.Second),
		"given":    server.WithOnGiven(nil),
		"freed":    server.WithOnFreed(nil),
		"error":    server.WithOnError(nil),
	} {
		_, err := server.NewListener(inner, opt)
		_, same := server.Listen("tcp", "127.0.0.1:0", opt)
		if err == nil || same == nil || err.Error() != same.Error() {
			t.Fatalf("%s: NewListener says %v, Listen %v", name, err, same)
		}
		got[name] = err.Error()
	}
	_, err := server.NewListener(nil)
	got["inner"] = err.Error()
	want := map[string]string{
		"slots":    "server: slots must not be nil",
		"zero":     "server: line timeout must be positive, got 0s",
		"negative": "server: line timeout must be positive, got -1s",
		"given":    "server: on-given function must not be nil",
		"freed":    "server: on-freed function must not be nil",
		"error":    "server: on-error function must not be nil",
		"inner":    "server: inner listener must not be nil",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListenReturnsItsCause(t *testing.T) {
	l := listen(t)
	_, err := server.Listen("tcp", l.Addr().String())
	var op *net.OpError
	if !errors.As(err, &op) || err.Error()[:19] != "server: listen tcp " {
		t.Errorf("got %v", err)
	}
}
