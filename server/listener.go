package server

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Listener is a net.Listener whose connections are greeted with a slot line.
// It takes connections from its inner listener only while somebody waits in
// Accept, so a server that has stopped accepting gives no slots away.
type Listener struct {
	settings
	inner net.Listener

	wanted chan struct{} // received from by an Accept that waits: take another
	ready  chan *Conn    // greeted
	failed chan error    // the inner listener's end
	done   chan struct{} // closed by Close

	tasks   sync.WaitGroup // the accept loop and all greetings
	closing sync.Once
	err     error // what the inner Close returned

	mu       sync.Mutex
	greeting map[*Conn]struct{} // nil when closed
	owners   map[int]*Conn      // of each slot, from given to freed being told
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
		wanted:   make(chan struct{}),
		ready:    make(chan *Conn),
		failed:   make(chan error),
		done:     make(chan struct{}),
		greeting: make(map[*Conn]struct{}),
		owners:   make(map[int]*Conn),
	}
	l.tasks.Go(l.acceptLoop)
	return l
}

// Addr is the inner listener's address.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Accept waits for a connection whose slot line is written and returns it, a
// *Conn. Those that stall a handshake or do not read keep nobody waiting. After
// Close the error is net.ErrClosed; an error of the inner listener that is not
// temporary comes as it is, and again at each call.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		select { // those who are greeted first, then more of them
		case c := <-l.ready:
			return c, nil
		default:
		}
		select {
		case c := <-l.ready:
			return c, nil
		case <-l.wanted:
		case err := <-l.failed:
			return nil, err
		case <-l.done:
			return nil, net.ErrClosed
		}
	}
}

// Close ends the listener: the inner one and all connections that Accept has
// not returned yet are closed, their slots free, and its goroutines gone. Those
// that Accept has returned live on. Any further Close returns the same.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.done)
		l.err = l.inner.Close()
		for c := range l.stopGreeting() {
			abort(c.Conn)
		}
		l.tasks.Wait()
	})
	return l.err
}

// The pause before an inner Accept that failed is tried again.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

func (l *Listener) acceptLoop() {
	var pause time.Duration
	for l.isWanted() {
		conn, err := l.inner.Accept()
		switch {
		case err == nil:
			pause = 0
			l.admit(conn)
		case l.isClosed():
			return
		case isTemporary(err): // out of descriptors, say: those who hold some will close them
			pause = min(max(2*pause, minPause), maxPause)
			l.onError(fmt.Errorf("server: next try in %v: %w", pause, err))
			l.sleep(pause)
		default:
			l.fail(err)
			return
		}
	}
}

// isWanted waits until somebody waits in Accept. It is false when closed.
func (l *Listener) isWanted() bool {
	select {
	case l.wanted <- struct{}{}:
		return true
	case <-l.done:
		return false
	}
}

func (l *Listener) isClosed() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (l *Listener) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.done:
	}
}

// fail tells every Accept until Close.
func (l *Listener) fail(err error) {
	for {
		select {
		case l.failed <- err:
		case <-l.done:
			return
		}
	}
}
