package server

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

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
			l.log.trouble("accept: "+err.Error(), fmt.Errorf("server: next try in %v: %w", pause, err))
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

// admit brings conn to an Accept, by way of its handshake if it has one.
func (l *Listener) admit(conn net.Conn) {
	c := &Conn{Conn: conn, listener: l, slot: none, came: time.Now()}
	if why, ok := l.enter(c); !ok {
		l.tally.refuse(why)
		if why == byLimit {
			l.log.trouble("conns", fmt.Errorf("server: a client is refused: %d connections are the limit", l.maxConns))
		}
		socket.Refuse(conn)
		return
	}
	socket.SetUserTimeout(conn, l.unanswered)
	if secure, ok := conn.(handshaker); ok {
		if !l.hasRoom() {
			l.drop(c, byClose, nil)
			return
		}
		l.begin(c)
		l.tasks.Go(func() { l.handshake(c, secure) })
		return
	}
	select {
	case l.ready <- c: // the Accept that wants it is on its way back
	case <-l.done:
		l.drop(c, byClose, nil)
	}
}

// queue waits with c for an Accept, as long as its client may still be there.
func (l *Listener) queue(c *Conn) {
	if !l.waits(c) {
		l.drop(c, byLimit, fmt.Errorf("%d connections wait for Accept, the limit", l.maxWaiting))
		return
	}
	timer := time.NewTimer(time.Until(c.came.Add(l.lineTimeout)))
	defer timer.Stop()
	select {
	case l.ready <- c:
	case <-timer.C:
		l.drop(c, byTimeout, errNoAccept)
	case <-l.done:
		l.drop(c, byClose, nil)
	}
}

var errNoAccept = errors.New("no Accept took it")

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
