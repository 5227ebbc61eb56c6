package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"
)

// admit writes conn its slot line in a goroutine of its own: a slow client
// delays no other.
func (l *Listener) admit(conn net.Conn) {
	c := &Conn{Conn: conn, listener: l}
	if !l.track(c) {
		abort(conn)
		return
	}
	l.tasks.Go(func() {
		err := l.announce(c)
		l.untrack(c)
		switch {
		case err == nil:
			l.handOver(c)
		case l.isClosed(): // Close may have caused err
			abort(conn)
		default:
			abort(conn)
			l.onError(fmt.Errorf("server: greeting %v: %w", conn.RemoteAddr(), err))
		}
	})
}

// handOver gives c to an Accept. Once the listener is closed it drops c: Close
// may have closed c while its line was written.
func (l *Listener) handOver(c *Conn) {
	if !l.isClosed() {
		select {
		case l.ready <- c:
			return
		case <-l.done:
		}
	}
	c.free()
	abort(c.Conn)
}

// announce takes a slot for c and writes the slot line. The slot is taken after
// the TLS handshake, so a client that stalls the handshake holds none.
func (l *Listener) announce(c *Conn) error {
	if err := c.SetDeadline(time.Now().Add(l.announceTimeout)); err != nil {
		return err
	}
	if secure, ok := c.Conn.(interface{ Handshake() error }); ok {
		if err := secure.Handshake(); err != nil {
			return err
		}
	}
	c.slot = l.slots.Get()
	if err := writeLine(c.Conn, c.slot); err != nil {
		l.putBack(c.slot)
		return err
	}
	c.SetDeadline(time.Time{}) // fails only if the client is gone: it worked above
	l.reportGiven(c)
	return nil
}

// writeLine writes the line in one piece, so that it travels in one segment.
func writeLine(conn net.Conn, slot int) error {
	line := strconv.AppendInt(make([]byte, 0, 32), int64(slot), 10)
	_, err := conn.Write(append(line, "\r\n"...))
	return err
}

// reportGiven calls onGiven, after onFreed for the slot's last owner. That owner
// may have put the slot back but not reported it yet; free waits until it has.
func (l *Listener) reportGiven(c *Conn) {
	l.mu.Lock()
	last := l.owners[c.slot]
	l.owners[c.slot] = c
	l.mu.Unlock()
	if last != nil {
		last.free()
	}
	l.onGiven(c)
}

// reportFreed calls onFreed. c stays the slot's owner until then, so that
// reportGiven finds it.
func (l *Listener) reportFreed(c *Conn) {
	l.onFreed(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owners[c.slot] == c {
		delete(l.owners, c.slot)
	}
}

func (l *Listener) putBack(slot int) {
	if err := l.slots.Put(slot); err != nil { // the Slots are shared, and another user put ours back
		l.onError(err)
	}
}

// track lets Close find c while its line is written. It is false after Close.
func (l *Listener) track(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.announcing == nil {
		return false
	}
	l.announcing[c] = struct{}{}
	return true
}

func (l *Listener) untrack(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.announcing, c)
}

// untrackAll returns the connections whose line is being written. No more can be
// tracked after it.
func (l *Listener) untrackAll() map[*Conn]struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.announcing
	l.announcing = nil
	return all
}

// abort closes conn at once. A *tls.Conn's own Close sends an alert first, and
// waits up to 5 s for a client that does not read.
func abort(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		secure.NetConn().Close()
	}
	conn.Close()
}
