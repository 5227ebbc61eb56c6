package server

import (
	"errors"
	"time"
)

// A handshake that takes longer than this makes room for others, once there are
// as many as may be: an honest client needs some milliseconds.
const stalled = time.Second

// A handshaker has something to do before the slot line, as a *tls.Conn has.
type handshaker interface{ Handshake() error }

var errStalled = errors.New("the handshake made room for others")

// handshake makes the handshake, by a goroutine of its own: a slow client delays no
// other. It holds no slot.
func (l *Listener) handshake(c *Conn, secure handshaker) {
	err := l.guard(c, func() error {
		if err := c.Conn.SetDeadline(c.came.Add(l.lineTimeout)); err != nil {
			return err
		}
		return secure.Handshake()
	})
	evicted := l.over(c)
	switch {
	case err == nil && !evicted:
		l.tally.handshakes.add(time.Since(c.came))
		l.queue(c)
	case evicted:
		l.drop(c, byLimit, errStalled)
	case errors.As(err, new(*panicked)):
		l.drop(c, byPanic, nil) // guard has reported it
	case isTimeout(err):
		l.drop(c, byTimeout, err)
	default:
		l.drop(c, byHandshake, err)
	}
}

func (l *Listener) begin(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.handshaking = l.handshakes.PushBack(c)
}

// over says whether c had to make room for others before it was through.
func (l *Listener) over(c *Conn) (evicted bool) {
	l.mu.Lock()
	evicted = !l.handshakesNot(c)
	l.mu.Unlock()
	select {
	case l.room <- struct{}{}:
	default:
	}
	return evicted
}

// handshakesNot takes c off the handshakes, with the lock held; false: it is off.
func (l *Listener) handshakesNot(c *Conn) bool {
	if c.handshaking == nil {
		return false
	}
	l.handshakes.Remove(c.handshaking)
	c.handshaking = nil
	return true
}

// hasRoom waits until another handshake may begin. Who comes next waits in the
// backlog of the system meanwhile. It is false when closed.
func (l *Listener) hasRoom() bool {
	for {
		wait := l.makeRoom()
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.room:
		case <-timer.C:
		case <-l.done:
		}
		timer.Stop()
		if l.isClosed() {
			return false
		}
	}
}

// makeRoom ends the oldest handshake if there are as many as may be and that one
// has stalled. Otherwise it returns when it will have.
func (l *Listener) makeRoom() (wait time.Duration) {
	l.mu.Lock()
	if l.handshakes.Len() < l.maxHandshakes {
		l.mu.Unlock()
		return 0
	}
	oldest := l.handshakes.Front().Value.(*Conn)
	wait = stalled - time.Since(oldest.came)
	if wait <= 0 {
		l.handshakesNot(oldest)
	}
	l.mu.Unlock()
	if wait <= 0 {
		abort(oldest.Conn)
	}
	return wait
}
