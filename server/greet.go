package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"
)

// admit greets conn in a goroutine of its own, so that it delays nobody else.
func (l *Listener) admit(conn net.Conn) {
	c := &Conn{Conn: conn, listener: l}
	if !l.beginGreeting(c) {
		abort(conn)
		return
	}
	l.tasks.Go(func() {
		err := l.greet(c)
		l.endGreeting(c)
		switch {
		case err == nil:
			l.handOver(c)
		case l.isClosed(): // which may be why
			abort(conn)
		default:
			abort(conn)
			l.onError(fmt.Errorf("server: greeting %v: %w", conn.RemoteAddr(), err))
		}
	})
}

// handOver gives c to an Accept. It is not for one whom Close may have found in
// mid-greeting and closed.
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

// greet takes a slot for c and writes the line. The slot is taken after the TLS
// handshake, so that a client which stalls it holds none.
func (l *Listener) greet(c *Conn) error {
	if err := c.SetDeadline(time.Now().Add(l.greetTimeout)); err != nil {
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
	c.SetDeadline(time.Time{}) // worked before: fails only where the client is gone already
	l.tellGiven(c)
	return nil
}

// writeLine writes the line in one piece, so that it travels in one segment.
func writeLine(conn net.Conn, slot int) error {
	line := strconv.AppendInt(make([]byte, 0, 32), int64(slot), 10)
	_, err := conn.Write(append(line, "\r\n"...))
	return err
}

// tellGiven waits, as the slot's last owner may have put it back but not told
// so yet; to free what is being freed already is to wait for it.
func (l *Listener) tellGiven(c *Conn) {
	l.mu.Lock()
	last := l.owners[c.slot]
	l.owners[c.slot] = c
	l.mu.Unlock()
	if last != nil {
		last.free()
	}
	l.onGiven(c)
}

func (l *Listener) tellFreed(c *Conn) {
	l.onFreed(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owners[c.slot] == c {
		delete(l.owners, c.slot)
	}
}

func (l *Listener) putBack(slot int) {
	if err := l.slots.Put(slot); err != nil { // shared Slots, and somebody else put ours
		l.onError(err)
	}
}

// beginGreeting lets Close find c; it is false when Close has been.
func (l *Listener) beginGreeting(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.greeting == nil {
		return false
	}
	l.greeting[c] = struct{}{}
	return true
}

func (l *Listener) endGreeting(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.greeting, c)
}

// stopGreeting hands out those in mid-greeting and lets no more begin.
func (l *Listener) stopGreeting() map[*Conn]struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	greeting := l.greeting
	l.greeting = nil
	return greeting
}

// abort closes conn without a word: a *tls.Conn's Close tells the client, and
// waits up to 5 s for one who does not listen.
func abort(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		secure.NetConn().Close()
	}
	conn.Close()
}
