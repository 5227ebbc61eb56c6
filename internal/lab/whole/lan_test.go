package whole_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/server"
)

// A lan is a network of slot servers with a round trip, in virtual time. Its
// connections carry the slot line and nothing else, and cost no goroutine of
// their own.
type lan struct {
	mu sync.Mutex
	up map[string]*host // by address
}

// A host gives out slots, and knows who holds them.
type host struct {
	slots server.Slots
	lines map[*line]bool
}

func newLAN() *lan { return &lan{up: make(map[string]*host)} }

// from is the lan as a client sees it that is so far away.
func (l *lan) from(trip time.Duration) rover.Dialer { return &seat{l, trip} }

type seat struct {
	*lan
	trip time.Duration
}

func (l *lan) serve(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up[address] = &host{lines: make(map[*line]bool)}
}

// die ends a server and all its connections.
func (l *lan) die(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.up[address]
	delete(l.up, address)
	for x := range h.lines {
		x.end(io.EOF)
	}
}

// DialContext takes half a round trip to the server, and half of it back.
func (l *seat) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	time.Sleep(l.trip / 2)
	l.mu.Lock()
	var x *line
	if h := l.up[address]; h != nil {
		x = &line{seat: l, host: h, slot: h.slots.Get(), over: make(chan struct{})}
		x.answer.WriteString(fmt.Sprintf("%d\r\n", x.slot))
		h.lines[x] = true
	}
	l.mu.Unlock()
	time.Sleep(l.trip / 2)
	if x == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return x, nil
}

// A line is the client's end of a connection.
type line struct {
	seat   *seat
	host   *host
	slot   int
	answer bytes.Buffer

	once  sync.Once
	over  chan struct{}
	cause error

	mu    sync.Mutex
	until chan struct{} // a passed deadline closes it
}

func (x *line) Read(b []byte) (int, error) {
	if x.answer.Len() > 0 {
		return x.answer.Read(b)
	}
	x.mu.Lock()
	if x.until == nil {
		x.until = make(chan struct{})
	}
	until := x.until
	x.mu.Unlock()
	select {
	case <-x.over:
		return 0, x.cause
	case <-until:
		return 0, os.ErrDeadlineExceeded
	}
}

func (x *line) end(cause error) {
	x.once.Do(func() {
		x.cause = cause
		close(x.over)
	})
}

// Close has the server know half a round trip later.
func (x *line) Close() error {
	x.end(net.ErrClosed)
	time.AfterFunc(x.seat.trip/2, func() {
		x.seat.mu.Lock()
		defer x.seat.mu.Unlock()
		if x.host.lines[x] {
			delete(x.host.lines, x)
			_ = x.host.slots.Put(x.slot)
		}
	})
	return nil
}

// SetReadDeadline knows no deadline but the past, and none.
func (x *line) SetReadDeadline(t time.Time) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case t.IsZero():
		x.until = nil
	case !t.After(time.Now()):
		if x.until == nil {
			x.until = make(chan struct{})
		}
		select {
		case <-x.until:
		default:
			close(x.until)
		}
	}
	select {
	case <-x.over:
		if x.cause == net.ErrClosed {
			return net.ErrClosed
		}
	default:
	}
	return nil
}

func (x *line) Write(b []byte) (int, error)        { return len(b), nil }
func (x *line) SetDeadline(t time.Time) error      { return x.SetReadDeadline(t) }
func (x *line) SetWriteDeadline(t time.Time) error { return nil }
func (x *line) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (x *line) RemoteAddr() net.Addr               { return &net.TCPAddr{} }
