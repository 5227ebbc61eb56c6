package server

import (
	"container/list"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Listener is a net.Listener that writes each connection its slot line. It
// takes connections from its inner listener only while an Accept waits, and
// writes a line only for an Accept that waits: so a server that accepts no more,
// or a netutil.LimitListener that is full, gives no slots away.
type Listener struct {
	settings
	inner net.Listener
	began time.Time

	wanted  chan struct{} // an Accept that waits receives: take another connection
	ready   chan *Conn    // the handshake is over; who receives writes the slot line
	lined   chan *Conn    // the slot line is written already: it took long, or the client speaks first
	failed  chan error    // the inner listener's end
	room    chan struct{} // a handshake is over
	drained chan struct{} // closed by Drain
	done    chan struct{} // closed by Close

	tasks   sync.WaitGroup // the accept loop, and whoever works on a connection that is not accepted
	closing sync.Once
	err     error // of the inner Close

	weight   weight
	draining sync.Once
	tally    tally
	log      report

	mu         sync.Mutex
	closed     bool
	conns      map[*Conn]struct{} // all that are open
	handshakes list.List          // of these, those in their handshake, the oldest first
	waiting    int                // of these, those that wait for an Accept
	owners     map[int]*Conn      // by slot, until its freed is reported
}

var _ net.Listener = (*Listener)(nil)

// Listen announces on a stream-oriented local network address as net.Listen
// does, and gives out slots there. The listener must be closed.
func Listen(network, address string, opts ...Option) (*Listener, error) {
	s, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	inner, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return start(inner, s), nil
}

// NewListener gives out slots to what inner accepts; with a tls.NewListener the
// slot line goes inside TLS. The listener must be closed, and closes inner. If
// there is an error, inner stays open.
func NewListener(inner net.Listener, opts ...Option) (*Listener, error) {
	if inner == nil {
		return nil, errors.New("server: inner listener must not be nil")
	}
	s, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	return start(inner, s), nil
}

func start(inner net.Listener, s settings) *Listener {
	l := &Listener{
		settings: s,
		inner:    inner,
		began:    time.Now(),
		wanted:   make(chan struct{}),
		ready:    make(chan *Conn),
		lined:    make(chan *Conn),
		failed:   make(chan error),
		room:     make(chan struct{}, 1),
		drained:  make(chan struct{}),
		done:     make(chan struct{}),
		conns:    make(map[*Conn]struct{}),
		owners:   make(map[int]*Conn),
		log:      report{logger: s.logger, onError: s.onError},
	}
	l.weight.set(s.weight)
	l.tasks.Go(l.acceptLoop)
	return l
}

// Addr is the inner listener's address.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Accept waits for a connection, writes its slot line and returns it, a *Conn.
// A client that stalls a handshake or does not read delays no other. After Close
// the error is net.ErrClosed; an error of the inner listener that is not
// temporary comes as it is, and again at each call.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.next()
		if err != nil {
			return nil, err
		}
		if c != nil && l.take(c) {
			return c, nil
		}
	}
}

// next is nil if there is nothing to accept yet: a connection was asked for, or
// one was lost.
func (l *Listener) next() (*Conn, error) {
	select { // those that are here first, before another is taken
	case c := <-l.lined:
		return c, nil
	case c := <-l.ready:
		return l.announce(c), nil
	default:
	}
	select {
	case c := <-l.lined:
		return c, nil
	case c := <-l.ready:
		return l.announce(c), nil
	case <-l.wanted:
		return nil, nil
	case err := <-l.failed:
		return nil, err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// take makes c the caller's of Accept. It is false once the listener is closed,
// and when the client is gone already.
func (l *Listener) take(c *Conn) bool {
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.waitsNot(c)
		c.stage = accepted
	}
	l.mu.Unlock()
	if closed {
		l.drop(c, byClose, nil)
		return false
	}
	l.tally.accepted.Add(1)
	return true
}

// Close ends the listener. It closes the inner one, all connections that Accept
// has not returned yet, and those that nobody has used (see [Conn.Unused]) nor
// called busy ([Conn.SetIdle]), so that a server waits for no idle pool. It frees their slots, and waits for its
// goroutines. Other connections stay open: [Listener.Shutdown] ends them too. A
// further Close returns the same error.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.done)
		l.err = l.inner.Close()
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		for _, c := range l.open() {
			if c.Unused() && c.use.mark.Load() != busy || l.stageOf(c) != accepted {
				l.end(c)
			}
		}
		l.tasks.Wait()
	})
	return l.err
}

func (l *Listener) isClosed() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// abort closes conn at once. A *tls.Conn's own Close sends an alert first, and
// waits up to 5 s for a client that does not read.
func abort(conn net.Conn) {
	defer func() { _ = recover() }() // a nil pointer in a net.Conn
	if secure, ok := conn.(*tls.Conn); ok {
		secure.NetConn().Close()
	}
	conn.Close()
}
