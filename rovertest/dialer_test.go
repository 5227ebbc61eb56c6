package rovertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

const address = "10.0.0.1:4040"

// reading is an observable of what one dial reads, a string each time something comes; its
// errors are those of the dial and of the connection, io.EOF but its end.
func reading(d *Dialer) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			rxgo.Error(err).SendContext(ctx, next)
			return
		}
		defer c.Close()
		defer context.AfterFunc(ctx, func() { c.Close() })()
		buffer := make([]byte, 64)
		for {
			n, err := c.Read(buffer)
			if n > 0 {
				rxgo.Of(string(buffer[:n])).SendContext(ctx, next)
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				rxgo.Error(err).SendContext(ctx, next)
				return
			}
		}
	}})
}

func TestServers(t *testing.T) {
	noRoute := errors.New("no route")
	for _, test := range []struct {
		name, server string
		values       marble.Values
		reads, open  string
		failure      error
	}{
		{name: "an answer", server: "a", values: marble.Values{"a": "3\r\n"}, reads: "a----", open: "^----!"},
		{name: "a slow answer", server: "---a", values: marble.Values{"a": "3\r\n"}, reads: "---a-", open: "^----!"},
		{name: "a slot", server: "-n|", values: marble.Values{"n": 13}, reads: "-n|", open: "^-!"},
		{name: "a word at a time", server: "a-b|", reads: "a-b|", open: "^--!"},
		{name: "two words at once", server: "-(ab|)", reads: "-(ab|)", open: "^!"},
		{name: "bytes", server: "-a|", values: marble.Values{"a": []byte("x")}, reads: "-a|", open: "^-!"},
		{name: "an end without a word", server: "--|", reads: "--|", open: "^-!"},
		{name: "silence", server: "", reads: "-----", open: "^----!"},
		{name: "refused", server: "#", reads: "#", open: "(^!)", failure: syscall.ECONNREFUSED},
		{name: "refused in the end", server: "---#", reads: "---#", open: "^--!", failure: syscall.ECONNREFUSED},
		{name: "refused for a reason", server: "-#", values: marble.Values{"#": noRoute}, reads: "-#", open: "^!", failure: noRoute},
		{name: "reset", server: "-a-#", reads: "-a-#", open: "^--!", failure: syscall.ECONNRESET},
		{name: "gone for a reason", server: "-a-#", values: marble.Values{"#": noRoute}, reads: "-a-#", open: "^--!", failure: noRoute},
	} {
		t.Run(test.name, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				d := NewDialer(m)
				server := m.Cold(test.server, test.values)
				d.Serve(address, server)
				reads := marble.Values{"#": test.failure}
				for letter, value := range test.values {
					if text, err := words(value); err == nil {
						reads[letter] = string(text)
					}
				}
				m.Expect(reading(d), marble.Window("^----!")).ToBe(test.reads, reads)
				m.ExpectSubscriptions(server).ToBe(test.open)
				m.Flush()
				if d.Open() != 0 {
					m.Errorf("%d connections are open", d.Open())
				}
			})
		})
	}
}

func TestAnswersInTurn(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		d := NewDialer(m)
		d.Serve(address, m.Cold("#"), m.Cold("a|"), m.Cold("b|"))
		m.Expect(reading(d)).ToBe("#", marble.Values{"#": syscall.ECONNREFUSED})
		m.Expect(reading(d), marble.Window("-^")).ToBe("-a|")
		m.Expect(reading(d), marble.Window("--^")).ToBe("--b|")
		m.Expect(reading(d), marble.Window("---^")).ToBe("---b|")
		m.At(m.Time("----|"), func() { d.Serve(address) })
		m.Expect(reading(d), marble.Window("-----^")).ToBe("-----#", marble.Values{"#": syscall.ECONNREFUSED})
	})
}

func TestDialThatHasNoTime(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		d := NewDialer(m)
		server := m.Cold("----- #")
		d.Serve(address, server)
		m.At(m.Time("-|"), func() {
			ctx, cancel := context.WithTimeout(m.Context(), 2*time.Millisecond)
			defer cancel()
			for range 2 { // the second context has ended before the dial
				_, err := d.DialContext(ctx, "tcp", address)
				if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
					m.Errorf("got %v, want a timeout", err)
				}
			}
		})
		m.ExpectSubscriptions(server).ToBe("-^-!")
	})
}

func TestNobodyServes(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		m.ExpectSubscriptions(m.Cold("")).ToBe()
		_, err := NewDialer(m).DialContext(m.Context(), "tcp", address)
		if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "nobody serves "+address) {
			m.Errorf("got %v", err)
		}
	})
}

// Each dial is noted, and each close, once.
func TestDials(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		d := NewDialer(m)
		d.Serve(address, m.Cold("a"), m.Cold("#"))
		begun := time.Now()
		var c net.Conn
		m.At(m.Time("-|"), func() { c, _ = d.DialContext(m.Context(), "tcp", address) })
		m.At(m.Time("--|"), func() { _, _ = d.DialContext(m.Context(), "tcp", address) })
		m.At(m.Time("---|"), func() {
			if d.Open() != 1 {
				m.Errorf("%d are open, want 1", d.Open())
			}
		})
		for _, at := range []string{"----|", "-----|"} {
			m.At(m.Time(at), func() { _ = c.Close() })
		}
		m.ExpectSubscriptions(m.Cold("")).ToBe()
		m.Flush()
		var noted []string
		for _, dial := range d.Dials() {
			noted = append(noted, fmt.Sprint(dial.Address, " ", dial.At.Sub(begun), " ", dial.Err, " ", dial.Closed.Sub(begun) > 0))
			if dial.Err == nil && dial.Closed.Sub(begun) != 4*time.Millisecond {
				m.Errorf("closed after %v", dial.Closed.Sub(begun))
			}
		}
		want := []string{address + " 1ms <nil> true", address + " 2ms dial tcp " + address + ": connection refused false"}
		if !slices.Equal(noted, want) || d.Open() != 0 {
			m.Errorf("got %q, want %q; %d open", noted, want, d.Open())
		}
	})
}

// What the client writes is read. After the end, each call returns why it fails.
func TestWrites(t *testing.T) {
	for server, want := range map[string]error{"-|": syscall.EPIPE, "c#": syscall.ECONNRESET} {
		marble.Test(t, func(m *marble.M) {
			d := NewDialer(m)
			d.Serve(address, m.Cold(server, marble.Values{"c": ""}))
			m.ExpectSubscriptions(m.Cold("")).ToBe()
			c, err := d.DialContext(m.Context(), "tcp", address)
			if err != nil || c.RemoteAddr().String() != address || c.RemoteAddr().Network() != "tcp" {
				m.Fatalf("%v, %v", c.RemoteAddr(), err)
			}
			if n, err := c.Write([]byte("hello")); n != 5 || err != nil {
				m.Errorf("wrote %d, %v", n, err)
			}
			m.At(m.Time("--|"), func() {
				if _, err := c.Write([]byte("hello")); !errors.Is(err, want) {
					m.Errorf("got %v, want %v", err, want)
				}
				_ = c.Close()
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					m.Errorf("got %v, want net.ErrClosed", err)
				}
			})
		})
	}
}

// recorder is a testing.TB that keeps failures, and leaves cleanups to the test.
type recorder struct {
	testing.TB
	failures []string
	cleanup  func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = f }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }

func TestConnectionLeftOpen(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		r := &recorder{TB: m}
		d := NewDialer(r)
		d.Serve(address, m.Cold("a-b|"))
		m.At(m.Time("--|"), func() { _, _ = d.DialContext(m.Context(), "tcp", address) }) // and never reads
		m.ExpectSubscriptions(m.Cold("")).ToBe()
		m.Flush()
		r.cleanup()
		want := "rovertest: a connection left open: to " + address + ", 2ms after the beginning"
		if len(r.failures) != 1 || r.failures[0] != want {
			m.Errorf("got %q, want %q", r.failures, want)
		}
	})
}

func TestValuesThatNoServerWrites(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		r := &recorder{TB: m}
		d := NewDialer(r)
		m.ExpectSubscriptions(m.Cold("")).ToBe()
		d.Serve(address, m.Cold("ab", marble.Values{"a": "a", "b": 1.5}))
		if len(r.failures) != 1 || !strings.Contains(r.failures[0], "b: a value of type float64") {
			m.Errorf("got %q", r.failures)
		}
	})
}
