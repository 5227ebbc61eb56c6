package server_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// However a connection ends, its slot is freed and reported, once.
func TestASlotIsFreedOnce(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, client net.Conn, c *server.Conn){
		"we close": func(t *testing.T, _ net.Conn, c *server.Conn) {
			kit.Check(t, c.Close())
		},
		"we close twice": func(t *testing.T, _ net.Conn, c *server.Conn) {
			kit.Check(t, c.Close())
			if err := c.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the second Close: %v", err)
			}
		},
		"we close from many sides": func(t *testing.T, _ net.Conn, c *server.Conn) {
			var tasks sync.WaitGroup
			for range 8 {
				tasks.Go(func() { c.Close() })
			}
			tasks.Wait()
		},
		"the client closes": func(t *testing.T, client net.Conn, c *server.Conn) {
			kit.Check(t, client.Close())
			readToEnd(c)
			kit.Check(t, c.Close())
		},
		"the client resets, a Read hears it": func(t *testing.T, client net.Conn, c *server.Conn) {
			refuse(t, client)
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read: %v", err)
			}
		},
		"the client resets, a Write hears it": func(t *testing.T, client net.Conn, c *server.Conn) {
			refuse(t, client)
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					break
				}
			}
		},
		"the client resets while we close": func(t *testing.T, client net.Conn, c *server.Conn) {
			var tasks sync.WaitGroup
			tasks.Go(func() { readToEnd(c) })
			tasks.Go(func() {
				client.(*net.TCPConn).SetLinger(0)
				client.Close()
			})
			tasks.Go(func() { c.Close() })
			tasks.Wait()
		},
		"the inner connection is closed behind our back": func(t *testing.T, _ net.Conn, c *server.Conn) {
			kit.Check(t, c.NetConn().Close())
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Read: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var slots server.Slots
			hooks := newLog()
			l := listen(t, hooks.option(&slots)...)
			client := dial(t, l)
			c := accept(t, l)
			slotOf(t, client)
			end(t, client, c)
			kit.Equal(t, "in use", slots.InUse(), 0)
			c.Close()
			kit.Equal(t, "given", len(hooks.given), 1)
			kit.Equal(t, "freed", len(hooks.freed), 1)
		})
	}
}

// The client's FIN ends one direction: the other stays open, and the slot stays
// taken until we end it too. A deadline that passes ends nothing.
func TestASlotStaysTaken(t *testing.T) {
	var slots server.Slots
	l := listen(t, server.WithSlots(&slots))
	client := dial(t, l)
	c := accept(t, l)
	slotOf(t, client)

	kit.Check(t, c.SetDeadline(time.Now().Add(-time.Second)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
	if _, err := c.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write: %v", err)
	}
	kit.Check(t, c.SetDeadline(time.Time{}))

	kit.Check(t, client.(*net.TCPConn).CloseWrite())
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read: %v", err)
	}
	kit.Must(io.WriteString(c, "still here"))(t)
	kit.Equal(t, "in use", slots.InUse(), 1)
	kit.Check(t, c.CloseWrite())
	kit.Equal(t, "in use when both directions have ended", slots.InUse(), 0)
	kit.Equal(t, "what the client read", string(kit.Must(io.ReadAll(client))(t)), "still here")
	kit.Check(t, c.Close())
	kit.Equal(t, "in use at the end", slots.InUse(), 0)
}

// A client that has refused before Accept holds a slot until the server reads.
func TestAClientThatIsGoneBeforeAccept(t *testing.T) {
	var slots server.Slots
	l := listen(t, server.WithSlots(&slots))
	refuse(t, dial(t, l))
	kit.Check(t, dial(t, l).Close())
	stop := serve(t, l, readToEnd)
	client := dial(t, l)
	if slot := slotOf(t, client); slot > 2 {
		t.Errorf("slot %d", slot)
	}
	kit.Check(t, client.Close())
	stop()
	kit.Equal(t, "in use", slots.InUse(), 0)
}

// io.Copy lets the kernel copy between two connections, and every byte arrives,
// whichever of them is a Conn.
func TestCopyFromConnToConn(t *testing.T) {
	l := listen(t)
	source, from := dial(t, l), accept(t, l)
	sink, to := dial(t, l), accept(t, l)
	kit.Equal(t, "slots", slotOf(t, source)+slotOf(t, sink), 1)

	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if n, err := source.Write(sent); err != nil || n != len(sent) {
			t.Errorf("wrote %d: %v", n, err)
		}
		source.Close()
	})
	tasks.Go(func() {
		if n, err := io.Copy(to, from); err != nil || n != int64(len(sent)) {
			t.Errorf("copied %d: %v", n, err)
		}
		to.Close()
	})
	got, err := io.ReadAll(sink)
	tasks.Wait()
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("got %d bytes of %d, %v", len(got), len(sent), err)
	}
}

func TestCloseWriteNeedsAConnectionThatCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(inner))(t)
		defer l.Close()
		go func() { readSlot(inner.dial()) }()
		c := accept(t, l)
		err := c.CloseWrite()
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
		kit.Equal(t, "it says", err.Error(), "server: closing one direction of a *net.pipe: unsupported operation")
		kit.Check(t, c.Close())
	})
}
