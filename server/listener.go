package server

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Listener is a net.Listener that writes each connection its slot line.
// It takes connections from its inner listener only while an Accept
// waits, so a server that has stopped accepting gives no slots away.
type Listener struct {
	settings
	inner net.Listener

	wanted chan struct{} // an Accept that waits receives: take another connection
	ready  chan *Conn    // the slot line is written
	failed chan error    // the inner listener's end
	done   chan struct{} // closed by Close

	tasks   sync.WaitGroup // the accept loop and one for each slot line
	closing sync.Once
	err     error // of the inner Close

	mu         sync.Mutex
	announcing map[*Conn]struct{} // not announced yet; nil when closed
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
		settings:   s,
		inner:      inner,
		wanted:     make(chan struct{}),
		ready:      make(chan *Conn),
		failed:     make(chan error),
		done:       make(chan struct{}),
		announcing: make(map[*Conn]struct{}),
		owners:     make(map[int]*Conn),
	}
	l.tasks.Go(l.acceptLoop)
	return l
}

// Addr is the inner listener's address.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Accept waits for a connection whose slot line is written and returns it, a
// *Conn. A client that stalls a handshake or does not read delays no other. After
// Close the error is net.ErrClosed; an error of the inner listener that is not
// temporary comes as it is, and again at each call.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		select { // those that are ready first, before another is taken
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

// Close ends the listener. It closes the inner one and all connections that
// Accept has not returned yet, frees their slots, and waits for its goroutines.
// Connections that Accept has returned stay open. A further Close returns the
// same error.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		close(l.done)
		l.err = l.inner.Close()
		for c := range l.untrackAll() {
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
		case isTemporary(err): // such as out of descriptors, until some are closed
			pause = min(max(2*pause, minPause), maxPause)
			l.onError(fmt.Errorf("server: next try in %v: %w", pause, err))
			l.sleep(pause)
		default:
			l.fail(err)
			return
		}
	}
}

// isWanted waits until an Accept waits. It is false when closed.
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

// fail returns err from every Accept until Close.
func (l *Listener) fail(err error) {
	for {
		select {
		case l.failed <- err:
		case <-l.done:
			return
		}
	}
}
