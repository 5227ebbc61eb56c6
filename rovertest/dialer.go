// Package rovertest is a network for tests of what is built on a rover: servers that answer
// what marble diagrams say, when they say it, in virtual time and without a socket.
//
//	marble.Test(t, func(m *marble.M) {
//		network := rovertest.NewDialer(m)
//		network.Serve("10.0.0.1:4040", m.Cold("--s", marble.Values{"s": 3})) // slot 3 after two frames
//		network.Serve("10.0.0.2:4040", m.Cold("#"))                          // refuses
//		rover.New(rover.WithDialer(network), …)
//	})
//
// A dial subscribes to the source of its address, so a cold source begins with it, and
// M.ExpectSubscriptions checks from when to when connections were open.
//
//	s         a string or a []byte is what the server writes, an int n the slot line "n\r\n"
//	-         silence
//	|         the server closes
//	#         the connection is reset; as the first event of a diagram: the dial fails
//
// An empty diagram connects, and the server never writes. An empty string writes nothing:
// "c#", with "" for c, is a connection that is reset before anything is written.
//
// A # is ECONNREFUSED or ECONNRESET, or the error that marble.Values has for "#".
package rovertest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// Dialer dials servers that are marble diagrams. It is safe for use by many goroutines.
type Dialer struct {
	tb    testing.TB
	begun time.Time

	mu      sync.Mutex
	servers map[string][]*marble.Source
	dials   []*Dial
	open    map[*conn]bool
	serving sync.WaitGroup
}

// Dial is one call of DialContext.
type Dial struct {
	Address string
	At      time.Time
	Err     error     // why there is no connection
	Closed  time.Time // when the client closed the connection; zero while it is open
}

// NewDialer makes a network of no servers. It belongs to a test, a *marble.M: a connection
// that the client has not closed when the test ends is a failure, and is closed then.
func NewDialer(tb testing.TB) *Dialer {
	d := &Dialer{tb: tb, begun: time.Now(), servers: map[string][]*marble.Source{}, open: map[*conn]bool{}}
	tb.Cleanup(d.close)
	return d
}

// Serve sets what the server at an address, "host:port", does. The first source is its
// answer to the first dial, the second to the second, and the last to all that follow.
// It replaces what was served there. Without a source there is no server any more.
//
// The values of the sources are strings, []byte or ints; others end the test.
func (d *Dialer) Serve(address string, answers ...*marble.Source) {
	d.tb.Helper()
	for _, source := range answers {
		for _, e := range source.Diagram().Events {
			if _, err := words(e.Value); err != nil && e.Kind == marble.Next {
				d.tb.Fatalf("rovertest: %s: %v: a server writes a string, a []byte or, for a slot line, an int", e.Letter, err)
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.servers[address] = answers
}

// words are the bytes of a value.
func words(value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	case int:
		return fmt.Appendf(nil, "%d\r\n", v), nil
	default:
		return nil, fmt.Errorf("a value of type %T", value)
	}
}

// DialContext connects at once. It fails, with a *net.OpError, if there is no server, if the
// context ends, or if the server's diagram begins with #, at the time of that #.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	source, dial := d.answer(address)
	to := addr{network, address}
	c, err := d.connect(ctx, source, dial, to)
	if err != nil {
		err = &net.OpError{Op: "dial", Net: network, Addr: to, Err: err}
		d.mu.Lock()
		defer d.mu.Unlock()
		dial.Err = err
		return nil, err
	}
	return c, nil
}

// answer notes a dial and returns the server's answer to it, nil if there is no server.
func (d *Dialer) answer(address string) (*marble.Source, *Dial) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dial := &Dial{Address: address, At: time.Now()}
	d.dials = append(d.dials, dial)
	answers := d.servers[address]
	if len(answers) == 0 {
		return nil, dial
	}
	if len(answers) > 1 {
		d.servers[address] = answers[1:]
	}
	return answers[0], dial
}

func (d *Dialer) connect(ctx context.Context, source *marble.Source, dial *Dial, to addr) (net.Conn, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case source == nil:
		return nil, fmt.Errorf("rovertest: nobody serves %s: %w", to.address, socket.Refused)
	case refuses(source):
		return nil, refusal(ctx, source)
	}
	return d.serve(source, dial, to), nil
}

// refuses reports whether a server's diagram begins with #.
func refuses(source *marble.Source) bool {
	for _, e := range source.Diagram().Events {
		if e.Kind != marble.Subscribed {
			return e.Kind == marble.Failed
		}
	}
	return false
}

// refusal waits for the error of a server that refuses.
func refusal(ctx context.Context, source *marble.Source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case item := <-source.Observe(rxgo.WithContext(ctx)):
		return cause(item.E, socket.Refused)
	}
}

// cause is the error of a #: the test's own, or the system's usual one.
func cause(given error, usual error) error {
	if given == nil || given == marble.ErrFailed {
		return usual
	}
	return given
}

// Dials are all calls of DialContext so far, in order.
func (d *Dialer) Dials() []Dial {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Dial, len(d.dials))
	for i, dial := range d.dials {
		all[i] = *dial
	}
	return all
}

// Open is how many connections the client has not closed, whether or not the server has.
func (d *Dialer) Open() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.open)
}

// close ends all servers when the test is over.
func (d *Dialer) close() {
	d.mu.Lock()
	for c := range d.open {
		d.tb.Errorf("rovertest: a connection left open: to %s, %v after the beginning",
			c.dial.Address, c.dial.At.Sub(d.begun))
		_ = c.server.Close()
	}
	d.mu.Unlock()
	d.serving.Wait()
}
