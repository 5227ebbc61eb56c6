package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/relay"
	"github.com/callosum-go/rover/server"
)

// A backend is a server that knows nothing of slots: it echoes lines, with its
// name, until it is closed.
type backend struct {
	net.Listener
	name     string
	hello    string // what it says first
	accepted atomic.Int64
	open     atomic.Int64
	first    chan []byte // of each connection, if it is not nil
}

func newBackend(t testing.TB, address, name, hello string) *backend {
	t.Helper()
	b := &backend{Listener: kit.Must(relay.Listen(address))(t), name: name, hello: hello, first: make(chan []byte, 100)}
	t.Cleanup(func() {
		b.Close()
		kit.Within(t, "the backend's clients leave", 20*time.Second, func() bool { return b.open.Load() == 0 })
	})
	go func() {
		for {
			c, err := b.Accept()
			if err != nil {
				return
			}
			b.accepted.Add(1)
			b.open.Add(1)
			go b.serve(c)
		}
	}()
	return b
}

func (b *backend) serve(c net.Conn) {
	defer b.open.Add(-1)
	defer c.Close()
	io.WriteString(c, b.hello)
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		select {
		case b.first <- []byte(line):
		default:
		}
		if err != nil {
			return
		}
		fmt.Fprintf(c, "%s: %s", b.name, line)
	}
}

func (b *backend) address() string {
	if b.Addr().Network() == "unix" {
		return "unix:" + b.Addr().String()
	}
	return b.Addr().String()
}

// serving has a front serve on loopback until the test ends.
func serving(t testing.TB, f *relay.Front) (address string, stop func()) {
	t.Helper()
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	f.Logger = silent
	if f.Drain == 0 {
		f.Drain = time.Second
	}
	return l.Addr().String(), running(t, func(ctx context.Context) error { return f.Serve(ctx, l) })
}

// dial dials, until the test ends.
func dial(t testing.TB, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	network, address := relay.SplitAddress(address)
	c := kit.Must(net.Dial(network, address))(t)
	t.Cleanup(func() { c.Close() })
	kit.Check(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	return c, bufio.NewReader(c)
}

func line(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	return kit.Must(r.ReadString('\n'))(t)
}

func bothModes(t *testing.T, test func(t *testing.T, lazy bool)) {
	for _, lazy := range []bool{false, true} {
		t.Run(fmt.Sprintf("lazy %v", lazy), func(t *testing.T) { test(t, lazy) })
	}
}

func TestFront(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "unix:"} {
		bothModes(t, func(t *testing.T, lazy bool) {
			at := address
			if at == "unix:" {
				at += t.TempDir() + "/backend"
			}
			b := newBackend(t, at, "b", "")
			f := &relay.Front{Dial: relay.Dialer(b.address()), Lazy: lazy, Drain: time.Second}
			to, stop := serving(t, f)
			for slot := range 3 {
				c, r := dial(t, to)
				kit.Equal(t, "slot line", line(t, r), fmt.Sprintf("%d\r\n", slot))
				io.WriteString(c, "hello\n")
				kit.Equal(t, "answer", line(t, r), "b: hello\n")
			}
			kit.Equal(t, "active", f.Stats().Active, 3)
			stop()
			s := f.Stats()
			if s.Active != 0 || s.Served != 3 || s.Sent != 18 || s.Got != 27 || s.Retired+s.Cut != 3 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// While the server is down, nobody is drawn to the front: there is no slot line.
// It comes back with the server.
func TestFrontOfADeadServer(t *testing.T) {
	bothModes(t, func(t *testing.T, lazy bool) {
		b := newBackend(t, "127.0.0.1:0", "b", "")
		f := &relay.Front{Dial: relay.Dialer(b.address()), Lazy: lazy, Check: 5 * time.Millisecond}
		to, _ := serving(t, f)
		_, r := dial(t, to)
		kit.Equal(t, "slot line", line(t, r), "0\r\n")
		b.Close()
		kit.Within(t, "it is noticed", 20*time.Second, func() bool { return !lazy || !f.Alive() })
		if c, err := net.Dial("tcp", to); err == nil { // or it is reset at once
			if text, err := bufio.NewReader(c).ReadString('\n'); err == nil || text != "" {
				t.Errorf("got %q, %v; want no slot line", text, err)
			}
			c.Close()
		}
		if n := f.Stats().Refused["server"]; n != 1 {
			t.Errorf("refused %d", n)
		}
		newBackend(t, b.address(), "again", "")
		kit.Within(t, "a slot line", 20*time.Second, func() bool {
			c, err := net.Dial("tcp", to)
			if err != nil {
				return false
			}
			defer c.Close()
			text, _ := bufio.NewReader(c).ReadString('\n')
			return strings.HasSuffix(text, "\r\n")
		})
	})
}

// Those that have asked nothing yet learn that the server is gone.
func TestLazyFrontResetsTheSilent(t *testing.T) {
	b := newBackend(t, "127.0.0.1:0", "b", "")
	f := &relay.Front{Dial: relay.Dialer(b.address()), Lazy: true, Check: 5 * time.Millisecond}
	to, _ := serving(t, f)
	_, r := dial(t, to)
	line(t, r)
	b.Close()
	if _, err := r.ReadByte(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// A lazy front dials at the first byte, but for its looks; an eager one at once.
func TestWhenAFrontDials(t *testing.T) {
	bothModes(t, func(t *testing.T, lazy bool) {
		var dials atomic.Int64
		b := newBackend(t, "127.0.0.1:0", "b", "")
		inner := relay.Dialer(b.address())
		f := &relay.Front{Lazy: lazy, Check: time.Hour, Dial: func(ctx context.Context) (net.Conn, error) {
			dials.Add(1)
			return inner(ctx)
		}}
		to, _ := serving(t, f)
		c, r := dial(t, to)
		line(t, r)
		kit.Equal(t, "dials", dials.Load(), 1) // a look, or the client's
		io.WriteString(c, "x\n")
		line(t, r)
		kit.Equal(t, "dials", dials.Load(), map[bool]int64{false: 1, true: 2}[lazy])
	})
}

// A server that speaks first is heard after the slot line.
func TestServerSpeaksFirst(t *testing.T) {
	b := newBackend(t, "127.0.0.1:0", "b", "220 ready\r\n")
	to, _ := serving(t, &relay.Front{Dial: relay.Dialer(b.address())})
	_, r := dial(t, to)
	kit.Equal(t, "lines", line(t, r)+line(t, r), "0\r\n220 ready\r\n")
}

func TestFrontLimit(t *testing.T) {
	b := newBackend(t, "127.0.0.1:0", "b", "")
	f := &relay.Front{Dial: relay.Dialer(b.address()), Limit: 2}
	to, _ := serving(t, f)
	first, r := dial(t, to)
	line(t, r)
	_, r = dial(t, to)
	line(t, r)
	third, err := net.Dial("tcp", to)
	if err == nil {
		_, err = third.Read(make([]byte, 1))
		third.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	kit.Equal(t, "refused", f.Stats().Refused["limit"], 1)
	first.Close()
	kit.Within(t, "a place is free", 20*time.Second, func() bool { s := f.Stats(); return s.Active == 1 && s.Served == 1 })
	_, r = dial(t, to)
	kit.Equal(t, "slot line", line(t, r), "0\r\n")
}

// The header is the first that the server gets, and says who the client is; of a
// look it says that it is nobody's.
func TestProxyProtocol(t *testing.T) {
	for version := 1; version <= 2; version++ {
		bothModes(t, func(t *testing.T, lazy bool) {
			var got []*proxyproto.Header
			heads := make(chan *proxyproto.Header, 10)
			l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						r := bufio.NewReader(c)
						head, err := proxyproto.Read(r)
						if err != nil {
							t.Error(err)
						}
						heads <- head
						io.Copy(c, r)
					}()
				}
			}()
			f := &relay.Front{Dial: relay.Dialer(l.Addr().String()), Lazy: lazy, Check: time.Hour, Header: kit.Must(relay.ProxyProtocol(version))(t)}
			to, _ := serving(t, f)
			c, r := dial(t, to)
			line(t, r)
			io.WriteString(c, "x\n")
			kit.Equal(t, "echo", line(t, r), "x\n")
			for range map[bool]int{false: 1, true: 2}[lazy] {
				got = append(got, <-heads)
			}
			head := got[len(got)-1]
			if head.SourceAddr.String() != c.LocalAddr().String() || head.DestinationAddr.String() != c.RemoteAddr().String() || int(head.Version) != version {
				t.Errorf("got %+v", head)
			}
			if lazy && got[0].Command != proxyproto.LOCAL && got[0].TransportProtocol != proxyproto.UNSPEC {
				t.Errorf("a look: got %+v", got[0])
			}
		})
	}
	if _, err := relay.ProxyProtocol(3); err == nil {
		t.Error("version 3: no error")
	}
}

func TestFrontTLS(t *testing.T) {
	b := newBackend(t, "127.0.0.1:0", "b", "")
	f := &relay.Front{Dial: relay.Dialer(b.address()), TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}}
	to, _ := serving(t, f)
	plain, r := dial(t, to)
	io.WriteString(plain, "GET / HTTP/1.0\r\n\r\n")
	if text, _ := io.ReadAll(r); bytes.Contains(text, []byte("0\r\n")) {
		t.Errorf("without TLS: got %q", text)
	}
	kit.Within(t, "it is counted", 20*time.Second, func() bool { return f.Stats().Refused["handshake"] == 1 })
	kit.Equal(t, "dials", b.accepted.Load(), 0)
	c := kit.Must(tls.Dial("tcp", to, &tls.Config{InsecureSkipVerify: true}))(t)
	defer c.Close()
	r = bufio.NewReader(c)
	kit.Equal(t, "slot line", line(t, r), "0\r\n")
	io.WriteString(c, "hello\n")
	kit.Equal(t, "answer", line(t, r), "b: hello\n")
}

// At the end the quiet leave soon and in order, and who is busy gets the time to
// drain, then a reset.
func TestFrontDrain(t *testing.T) {
	b := newBackend(t, "127.0.0.1:0", "b", "")
	f := &relay.Front{Dial: relay.Dialer(b.address()), Drain: 2500 * time.Millisecond}
	to, stop := serving(t, f)
	_, quiet := dial(t, to)
	line(t, quiet)
	c, busy := dial(t, to)
	line(t, busy)
	left := make(chan error, 1)
	go func() { _, err := quiet.ReadByte(); left <- err }()
	cut := make(chan error, 1)
	marks := make(chan string, 1000)
	go func() {
		for ticks := time.NewTicker(20 * time.Millisecond); ; {
			<-ticks.C
			_, err := io.WriteString(c, "x\n") // sees the reset, or else the read does
			if _, failed := busy.ReadString('\n'); err == nil {
				err = failed
			}
			if err != nil {
				ticks.Stop()
				cut <- err
				return
			}
		}
	}()
	kit.Within(t, "both are served", 20*time.Second, func() bool { return f.Stats().Active == 2 })
	began := time.Now()
	go func() { // who looks in meanwhile finds the mark
		for ticks := time.NewTicker(20 * time.Millisecond); ; {
			<-ticks.C
			c, err := net.Dial("tcp", to)
			if err != nil {
				ticks.Stop()
				close(marks)
				return
			}
			if text, err := bufio.NewReader(c).ReadString('\n'); err == nil {
				marks <- text
			}
			c.Close()
		}
	}()
	stop()
	seen := make(map[string]int)
	for text := range marks {
		seen[text]++
	}
	if n := seen[fmt.Sprintf("%d\r\n", server.Drain)]; n < 10 {
		t.Errorf("%d slot lines with the mark: %v", n, seen)
	}
	if took := time.Since(began); took < 2400*time.Millisecond || took > 20*time.Second {
		t.Errorf("took %v, want the time to drain", took)
	}
	if err := <-left; err != io.EOF {
		t.Errorf("who was quiet: got %v, want an end in order", err)
	}
	if err := <-cut; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("who was busy: got %v, want a reset", err)
	}
	if s := f.Stats(); s.Cut < 1 || s.Retired < 1 {
		t.Errorf("got %+v", s)
	}
	if _, err := net.Dial("tcp", to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestFrontNeedsADial(t *testing.T) {
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	if err := new(relay.Front).Serve(t.Context(), l); err == nil || !strings.HasPrefix(err.Error(), "relay: ") {
		t.Error(err)
	}
	if err := new(relay.Proxy).Serve(t.Context(), l); err == nil || !strings.HasPrefix(err.Error(), "relay: ") {
		t.Error(err)
	}
}

// What a crash leaves of a Unix socket is in nobody's way; a live one is.
func TestListenAfterACrash(t *testing.T) {
	path := t.TempDir() + "/s"
	l := kit.Must(net.Listen("unix", path))(t).(*net.UnixListener)
	l.SetUnlinkOnClose(false)
	if _, err := relay.Listen("unix:" + path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("live: got %v", err)
	}
	l.Close()
	again := kit.Must(relay.Listen("unix:" + path))(t)
	again.Close()
}
