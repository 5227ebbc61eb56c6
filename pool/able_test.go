package pool_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/pool"
)

// A dialed connection shows what its socket can, and nothing else.
func TestDialedConnectionsShowWhatTheyCan(t *testing.T) {
	for name, want := range map[string]struct{ half, raw, from, to bool }{
		"tcp": {true, true, true, true}, "tls": {true, false, false, false},
		"pipe": {}, "tcp that is not known to be": {},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			keep(t, p, 0, wires[name])
			c := kit.Must(p.DialContext(context.Background(), "tcp", "x:1"))(t)
			defer c.Close()
			_, half := c.(interface{ CloseWrite() error })
			_, raw := c.(syscall.Conn)
			_, from := c.(io.ReaderFrom)
			_, to := c.(io.WriterTo)
			kit.Equal(t, "CloseWrite", half, want.half)
			kit.Equal(t, "SyscallConn", raw, want.raw)
			kit.Equal(t, "ReadFrom", from, want.from)
			kit.Equal(t, "WriteTo", to, want.to)
			if shown, ok := c.(*pool.Conn); ok != (name == "tcp") {
				t.Errorf("%T", shown)
			} else if !ok {
				if _, ok := c.(interface{ NetConn() net.Conn }).NetConn().(*pool.Conn); !ok {
					t.Error("no way to the *Conn")
				}
			}
		})
	}
}

// A *Conn says so where it cannot.
func TestConnThatCannot(t *testing.T) {
	p := newPool(t, 1)
	keep(t, p, 0, pipe)
	c := get(t, p)
	_, err := c.SyscallConn()
	for _, err := range []error{err, c.CloseWrite()} {
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "net.pipe") {
			t.Error(err)
		}
	}
	c.Release()
	kit.Equal(t, "idle: nothing was done", p.Stats().Idle, 1)
	for what, err := range map[string]error{"CloseWrite": c.CloseWrite(), "SyscallConn": second(c.SyscallConn()),
		"ReadFrom": second(c.ReadFrom(strings.NewReader("x"))), "WriteTo": second(c.WriteTo(io.Discard))} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s after the loan: %v", what, err)
		}
	}
}

// Half a connection closes, the answer comes all the same, and nobody gets the
// connection after that.
func TestCloseWrite(t *testing.T) {
	for _, name := range []string{"tcp", "tls"} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			server := gently(keep(t, p, 0, wires[name]))
			go func() {
				got, _ := io.ReadAll(server)
				server.Write(bytes.ToUpper(got))
				server.Close()
			}()
			c := get(t, p)
			kit.Check(t, say(c, "hello"))
			kit.Check(t, c.CloseWrite())
			got := kit.Must(io.ReadAll(c))(t)
			kit.Equal(t, "answer", string(got), "HELLO")
			c.Release()
			kit.Equal(t, "kept", p.Stats().Kept, 0)
		})
	}
}

// Copies go by ReadFrom and WriteTo, and count: a question without an answer,
// and an end.
func TestCopies(t *testing.T) {
	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			server := gently(keep(t, p, 0, w))
			go func() {
				io.CopyN(server, server, 5)
				server.Close()
			}()
			c := get(t, p)
			n, err := io.Copy(c, struct{ io.Reader }{strings.NewReader("hello")})
			kit.Check(t, err)
			kit.Equal(t, "written", n, 5)
			kit.Equal(t, "clean", c.Clean(), error(pool.Unanswered))
			var got bytes.Buffer
			n = kit.Must(io.Copy(&got, c))(t)
			kit.Equal(t, "read", n, 5)
			kit.Equal(t, "answer", got.String(), "hello")
			c.Release()
			kit.Equal(t, "lost", p.Stats().Lost, 1)
		})
	}
}

// Where a copy breaks off, some of it is nowhere.
func TestCopiesThatBreakOff(t *testing.T) {
	broken := errors.New("broken")
	for name, do := range map[string]func(c *pool.Conn) error{
		"from": func(c *pool.Conn) error {
			return second(c.ReadFrom(io.MultiReader(strings.NewReader("x"), fails{broken})))
		},
		"to": func(c *pool.Conn) error { return second(c.WriteTo(fails{broken})) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			server := keep(t, p, 0, tcp)
			kit.Check(t, say(server, "hello"))
			c := get(t, p)
			if err := do(c); !errors.Is(err, broken) {
				t.Fatal(err)
			}
			c.Release()
			kit.Equal(t, "closed", p.Stats().Closed, 1)
		})
	}
}

// gently has a server close in good order.
func gently(server net.Conn) net.Conn {
	for layer := range socket.Layers(server) {
		if tcp, ok := layer.(*net.TCPConn); ok {
			tcp.SetLinger(-1)
		}
	}
	return server
}

// halfway is no socket of the system's, and can end its half all the same: a
// channel of SSH, a socket of a system that is not watched.
type halfway struct {
	net.Conn
	ended bool
}

func (h *halfway) CloseWrite() error { h.ended = true; return nil }

func TestReadingAheadHidesNothing(t *testing.T) {
	client, _ := pipe(t)
	h := &halfway{Conn: client}
	p := newPool(t, 1)
	p.Offer(rover.NewConnection("a", somewhere, 0, h))
	c := kit.Must(p.DialContext(context.Background(), "tcp", "x:1"))(t)
	kit.Check(t, c.(interface{ CloseWrite() error }).CloseWrite())
	kit.Equal(t, "ended", h.ended, true)
	kit.Check(t, c.SetDeadline(time.Now().Add(time.Hour)))
	c.Close()
}

type fails struct{ error }

func (f fails) Read([]byte) (int, error)  { return 0, f.error }
func (f fails) Write([]byte) (int, error) { return 0, f.error }

// What drivers do to see whether a connection lives does not make it unfit.
func TestSyscallConnLooks(t *testing.T) {
	p := newPool(t, 1)
	keep(t, p, 0, tcp)
	c := get(t, p)
	raw := kit.Must(c.SyscallConn())(t)
	kit.Check(t, raw.Control(func(uintptr) {}))
	c.Release()
	kit.Equal(t, "idle", p.Stats().Idle, 1)
}

// A driver that looks before it uses a connection again hears that it was
// replaced, unless an answer is under way.
func TestSyscallConnOfAReplacedConnection(t *testing.T) {
	p := newPool(t, 1)
	peer := keep(t, p, 9, tcp)
	c := get(t, p)
	kit.Must(c.Write([]byte("?")))(t)
	keep(t, p, 0, tcp)
	<-c.Replaced()
	kit.Must(c.SyscallConn())(t)
	kit.Must(peer.Write([]byte("!")))(t)
	kit.Must(c.Read(make([]byte, 1)))(t)
	if _, err := c.SyscallConn(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want what wraps net.ErrClosed", err)
	}
}
