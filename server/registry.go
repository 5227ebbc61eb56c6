package server

import (
	"maps"
	"slices"
)

// How far a connection has come.
type stage int

const (
	entered  stage = iota // in its handshake, or before its slot line
	lined                 // its slot line is written, and reported
	accepted              // Accept has returned it
)

// enter makes c one of the listener's. It returns why not, if not.
func (l *Listener) enter(c *Conn) (why cause, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return byClose, false
	case l.maxConns > 0 && len(l.conns) >= l.maxConns:
		return byLimit, false
	}
	l.conns[c] = struct{}{}
	return 0, true
}

// leave is called once for each connection that has entered.
func (l *Listener) leave(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	l.handshakesNot(c)
	l.waitsNot(c)
}

// work keeps Close waiting until tasks.Done is called; false: it is closed.
func (l *Listener) work() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.tasks.Add(1)
	return true
}

// waits counts c among those that wait for an Accept; false: there are too many.
func (l *Listener) waits(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.waits {
		return true
	}
	if l.waiting >= l.maxWaiting {
		return false
	}
	c.waits = true
	l.waiting++
	return true
}

// waitsNot is called with the lock held.
func (l *Listener) waitsNot(c *Conn) {
	if c.waits {
		c.waits = false
		l.waiting--
	}
}

func (l *Listener) stageOf(c *Conn) stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.stage
}

// open returns all connections.
func (l *Listener) open() []*Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.conns))
}

// held returns those that have their slot line.
func (l *Listener) held() []*Conn {
	all := l.open()
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(all, func(c *Conn) bool { return c.stage == entered })
}

// end closes c, whoever has it, and frees its slot before. One without a line is
// freed by who works on it: its slot may be taken at this very moment.
func (l *Listener) end(c *Conn) {
	if l.stageOf(c) != entered {
		c.free()
	}
	abort(c.Conn)
}

// drop ends a connection that Accept does not return, and counts why. Whoever
// works on c calls it, and nobody else.
func (l *Listener) drop(c *Conn, why cause, err error) {
	if l.isClosed() { // Close may have caused err
		why, err = byClose, nil
	}
	l.tally.refuse(why)
	c.free()
	abort(c.Conn)
	if err != nil {
		l.log.lost(c, err)
	}
}
