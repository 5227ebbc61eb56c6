package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// A slot line that takes longer than this holds its Accept up no longer: that
// gets another connection meanwhile.
const patience = 10 * time.Millisecond

// announce takes a slot for c and writes the slot line, for the Accept that calls
// it. It returns nil if there is nothing to accept.
func (l *Listener) announce(c *Conn) *Conn {
	if !l.work() {
		l.drop(c, byClose, nil)
		return nil
	}
	defer l.tasks.Done()
	if l.clientFirst && !l.waits(c) {
		l.drop(c, byLimit, fmt.Errorf("%d connections wait for their first byte, the limit", l.maxWaiting))
		return nil
	}
	if time.Since(c.came) > l.lineTimeout {
		l.drop(c, byTimeout, errNoAccept)
		return nil
	}
	line := l.giveSlot(c)
	switch c.Conn.(type) {
	case *net.TCPConn, *net.UnixConn: // the system takes the line at once
		_, err := c.Conn.Write(line)
		if !l.announced(c, err) {
			return nil
		}
		if l.clientFirst {
			l.tasks.Go(func() { l.awaitFirst(c) })
			return nil
		}
		return c
	default:
		return l.announceBeside(c, line)
	}
}

// announceBeside writes the line by a goroutine of its own: a client that does
// not read, or a handshake that comes with the first write, may hold it up. It
// waits for a moment; later, c goes to any Accept.
func (l *Listener) announceBeside(c *Conn, line []byte) *Conn {
	ours := make(chan *Conn)
	l.tasks.Go(func() {
		switch err := l.write(c, line); {
		case !l.announced(c, err):
			close(ours)
		case l.clientFirst:
			close(ours)
			l.awaitFirst(c)
		default:
			l.handOver(c, ours)
		}
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case c := <-ours:
		return c
	case <-timer.C:
	case <-l.done:
	}
	return nil
}

// handOver gives c to an Accept: the one that waits for it, or any.
func (l *Listener) handOver(c *Conn, waits chan<- *Conn) {
	select {
	case waits <- c:
	case l.lined <- c:
	case <-l.done:
		l.drop(c, byClose, nil)
	}
}

// giveSlot returns the line for the lowest slot. It is written in one piece, so
// that it travels in one segment.
func (l *Listener) giveSlot(c *Conn) []byte {
	c.slot = l.slots.Get()
	l.tally.given.Add(1)
	c.number = l.number(c.slot)
	return append(strconv.AppendInt(make([]byte, 0, 32), int64(c.number), 10), "\r\n"...)
}

func (l *Listener) write(c *Conn, line []byte) error {
	return l.guard(c, func() error {
		if err := c.Conn.SetDeadline(c.came.Add(l.lineTimeout)); err != nil {
			return err
		}
		if _, err := c.Conn.Write(line); err != nil {
			return err
		}
		c.Conn.SetDeadline(time.Time{}) // fails only if the client is gone: it worked before
		return nil
	})
}

// announced reports that the line is written, or drops c if err says that it is
// not.
func (l *Listener) announced(c *Conn, err error) bool {
	switch {
	case errors.As(err, new(*panicked)):
		l.drop(c, byPanic, nil)
		return false
	case isTimeout(err):
		l.drop(c, byTimeout, err)
		return false
	case err != nil:
		l.drop(c, byClient, err)
		return false
	}
	l.tally.lines.Add(1)
	if err := l.guard(c, func() error { l.reportGiven(c); return nil }); err != nil {
		l.drop(c, byPanic, nil)
		return false
	}
	l.mu.Lock()
	c.stage = lined
	l.mu.Unlock()
	return true
}

// reportGiven calls onGiven, after onFreed for the slot's last owner. That owner
// may have put the slot back but not reported it yet; free waits until it has.
func (l *Listener) reportGiven(c *Conn) {
	c.given = true
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
	defer func() { // whatever onFreed does
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.owners[c.slot] == c {
			delete(l.owners, c.slot)
		}
	}()
	_ = l.log.catch(func() error { l.onFreed(c); return nil })
}

func (l *Listener) putBack(slot int) {
	l.tally.freed.Add(1)
	if err := l.slots.Put(slot); err != nil { // the Slots are shared, and another user put ours back
		l.log.trouble("slots", err)
	}
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
