package relay_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/relay"
	"github.com/callosum-go/rover/roam"
)

// proxying has a proxy over a pool of those servers on loopback until the test ends.
func proxying(t testing.TB, p *relay.Proxy, servers map[string]string, opts ...pool.Option) (address string, stop func()) {
	t.Helper()
	set := make(map[string]rover.Server)
	for id, address := range servers {
		var s rover.Server
		kit.Check(t, s.UnmarshalText([]byte(address)))
		set[id] = s
	}
	p.Pool = kit.Must(pool.Open(context.Background(), append([]pool.Option{
		pool.WithRover(rover.WithServers(set), rover.WithLogger(silent)), pool.WithLogger(silent),
		pool.WithRoaming(roam.WithInterval(5 * time.Millisecond)), pool.WithMax(4)}, opts...)...))(t)
	t.Cleanup(p.Pool.Close)
	p.Logger = silent
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	return l.Addr().String(), running(t, func(ctx context.Context) error { return p.Serve(ctx, l) })
}

// fronted is a backend behind a front.
func fronted(t testing.TB, name string, f *relay.Front) (*backend, string) {
	t.Helper()
	b := newBackend(t, "127.0.0.1:0", name, "")
	f.Dial = relay.Dialer(b.address())
	to, _ := serving(t, f)
	return b, to
}

// A program that knows nothing of slots talks to servers that know nothing of
// them, and half-closes.
func TestProxyAndFront(t *testing.T) {
	bothModes(t, func(t *testing.T, lazy bool) {
		_, to := fronted(t, "b", &relay.Front{Lazy: lazy, Drain: time.Second})
		var ends sync.Mutex
		var all []relay.Session
		p := &relay.Proxy{Drain: time.Second, OnSession: func(s relay.Session) {
			ends.Lock()
			defer ends.Unlock()
			all = append(all, s)
		}}
		at, stop := proxying(t, p, map[string]string{"one": to})
		for range 10 {
			c, r := dial(t, at)
			io.WriteString(c, "hello\nyou\n")
			kit.Check(t, c.(*net.TCPConn).CloseWrite())
			answer := kit.Must(io.ReadAll(r))(t)
			kit.Equal(t, "answer", string(answer), "b: hello\nb: you\n")
			c.Close()
		}
		stop()
		kit.Equal(t, "sessions", len(all), 10)
		for _, s := range all {
			if s.Server != "one" || s.Sent != 10 || s.Got != 16 || s.First != relay.A || s.Err != nil {
				t.Errorf("got %+v", s)
			}
		}
	})
}

// Without a slot a client gets a reset after Wait, counted by why.
func TestNoSlot(t *testing.T) {
	closed := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	closed.Close()
	_, good := fronted(t, "b", new(relay.Front))
	for want, server := range map[string]string{"no server": closed.Addr().String(), "all lent": good} {
		p := &relay.Proxy{Wait: 300 * time.Millisecond, Drain: time.Millisecond}
		// One socket, or what is lent might be replaced by a lower slot, for the next one.
		at, _ := proxying(t, p, map[string]string{"a": server}, pool.WithMax(1), pool.WithMaxSockets(1))
		if want == "all lent" {
			c, r := dial(t, at)
			io.WriteString(c, "x\n")
			line(t, r)
		}
		began := time.Now()
		_, r := dial(t, at)
		_, err := r.ReadByte()
		if took := time.Since(began); !errors.Is(err, syscall.ECONNRESET) || took < 250*time.Millisecond {
			t.Errorf("%s: %v after %v, want a reset after 300ms", want, err, took)
		}
		kit.Within(t, want, 20*time.Second, func() bool { return p.Stats().Refused[want] == 1 })
		kit.Equal(t, "causes", len(p.Stats().Refused), 1)
	}
}

// A long connection that is in the way of the balance is closed when it is quiet,
// and one that is busy is not; what comes next goes elsewhere.
func TestReplacedConnectionsCloseWhenQuiet(t *testing.T) {
	_, one := fronted(t, "one", new(relay.Front))
	p := &relay.Proxy{Quiet: 100 * time.Millisecond}
	at, _ := proxying(t, p, map[string]string{"one": one})
	var conns []*bufio.Reader
	for range 2 {
		c, r := dial(t, at)
		io.WriteString(c, "x\n")
		kit.Equal(t, "answer", line(t, r), "one: x\n")
		conns = append(conns, r)
	}
	c, busy := dial(t, at)
	io.WriteString(c, "x\n")
	line(t, busy)
	_, two := fronted(t, "two", new(relay.Front))
	var s rover.Server
	kit.Check(t, s.UnmarshalText([]byte(two)))
	kit.Check(t, p.Pool.Stream().SetServers(map[string]rover.Server{"two": s})) // one has left: all of its are in the way
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for range 40 {
		<-ticks.C
		io.WriteString(c, "y\n")
		kit.Equal(t, "answer while busy", line(t, busy), "one: y\n")
	}
	for _, r := range conns {
		if _, err := r.ReadByte(); err != io.EOF {
			t.Errorf("quiet: got %v, want an end in order", err)
		}
	}
	if _, err := busy.ReadByte(); err != io.EOF {
		t.Errorf("quiet at last: got %v, want an end in order", err)
	}
	kit.Within(t, "they are counted", 20*time.Second, func() bool { return p.Stats().Retired == 3 })
	c, r := dial(t, at)
	io.WriteString(c, "x\n")
	kit.Equal(t, "answer", line(t, r), "two: x\n")
}

// A connection that is too old ends when it is quiet, or is cut.
func TestMaxAge(t *testing.T) {
	_, one := fronted(t, "one", new(relay.Front))
	p := &relay.Proxy{Quiet: 20 * time.Millisecond, MaxAge: time.Second}
	at, _ := proxying(t, p, map[string]string{"one": one})
	began := time.Now()
	_, quiet := dial(t, at)
	if _, err := quiet.ReadByte(); err != io.EOF || time.Since(began) < 890*time.Millisecond {
		t.Errorf("quiet: %v after %v, want an end in order after 1s", err, time.Since(began))
	}
	c, busy := dial(t, at)
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	var err error
	for err == nil {
		<-ticks.C
		if _, err = io.WriteString(c, "x\n"); err == nil {
			_, err = busy.ReadString('\n')
		}
	}
	if !strings.Contains(fmt.Sprint(err), "reset") && !errors.Is(err, syscall.EPIPE) && err != io.EOF {
		t.Errorf("busy: got %v", err)
	}
	kit.Within(t, "they are counted", 20*time.Second, func() bool { s := p.Stats(); return s.Retired+s.Cut == 2 })
}

// The end does not wait for clients that are quiet, nor for ever for the busy.
func TestProxyDrain(t *testing.T) {
	_, one := fronted(t, "one", new(relay.Front))
	p := &relay.Proxy{Quiet: 20 * time.Millisecond, Drain: 10 * time.Second}
	at, stop := proxying(t, p, map[string]string{"one": one})
	c, r := dial(t, at)
	io.WriteString(c, "x\n")
	line(t, r)
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// Clients that come and go without a word, ask and do not wait, or only send, are no
// fault of the server's: it is not left alone for them. A server that answers nobody
// is.
func TestWhoIsBlamed(t *testing.T) {
	_, one := fronted(t, "one", new(relay.Front))
	p := new(relay.Proxy)
	at, _ := proxying(t, p, map[string]string{"one": one})
	suspended := p.Pool.Changes().Filter(func(v any) bool { return v.(pool.Change).Kind == roam.Suspended }).Observe()
	for i := range 30 {
		c, r := dial(t, at)
		switch i % 5 {
		case 0: // says nothing
		case 1:
			c.(*net.TCPConn).CloseWrite()
			io.ReadAll(r)
		case 2: // does not wait
			io.WriteString(c, "x\n")
			c.(*net.TCPConn).SetLinger(0)
		case 3: // half a question, to which there is no answer
			io.WriteString(c, "x")
			c.(*net.TCPConn).CloseWrite()
			io.ReadAll(r)
		case 4:
			io.WriteString(c, "x\n")
			line(t, r)
		}
		c.Close()
	}
	kit.Within(t, "they have left", 20*time.Second, func() bool { return p.Stats().Active == 0 })
	select {
	case item := <-suspended:
		t.Errorf("the server is left alone: %+v", item.V)
	default:
	}

	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t) // ends each connection at its first byte
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { c.Read(make([]byte, 1)); c.Close() }()
		}
	}()
	front, _ := serving(t, &relay.Front{Dial: relay.Dialer(l.Addr().String())})
	p = &relay.Proxy{Wait: 20 * time.Second}
	at, _ = proxying(t, p, map[string]string{"bad": front})
	suspended = p.Pool.Changes().Filter(func(v any) bool { return v.(pool.Change).Kind == roam.Suspended }).Observe()
	for range 4 {
		c, r := dial(t, at)
		io.WriteString(c, "x\n")
		r.ReadByte()
		c.Close()
	}
	<-suspended
}
