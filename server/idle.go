package server

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// quiet is how long nothing moves on a connection that counts as idle, where
// nobody has said so.
const quiet = time.Second

// The directions of a connection that have ended.
const (
	ours uint32 = 1 << iota
	theirs
)

// What the server has said of a connection.
const (
	unknown int32 = iota
	idle
	busy
)

// A use is what is known of a connection's traffic.
type use struct {
	came   atomic.Bool   // the client has sent something
	writes atomic.Int32  // up to 2
	moving atomic.Int32  // writes and copies under way
	last   atomic.Int64  // when bytes moved, in ns since the listener began; doubled, odd if we sent them
	mark   atomic.Int32  // what SetIdle said
	ended  atomic.Uint32 // directions
}

func (u *use) heard(c *Conn) {
	if !u.came.Load() {
		u.came.Store(true)
	}
	u.last.Store(int64(time.Since(c.listener.began)) << 1)
}

func (u *use) begin() {
	u.moving.Add(1)
	if u.writes.Load() < 2 {
		u.writes.Add(1)
	}
}

func (u *use) said(c *Conn) {
	u.last.Store(int64(time.Since(c.listener.began))<<1 | 1)
	u.moving.Add(-1)
}

func (u *use) busy() { u.writes.Store(2) }

// Unused says that the client has sent nothing yet, and that we have written at
// most once, as HTTP/2 and some other protocols begin. So are what pools keep
// for later.
func (c *Conn) Unused() bool {
	return !c.use.came.Load() && c.use.writes.Load() < 2 && c.use.moving.Load() == 0
}

// Idle says that nothing is under way on the connection, as far as anybody can
// know: the server has said so ([Conn.SetIdle], [Listener.ConnState]); or
// nobody has used it; or what came was answered, and nothing has moved for 1 s.
func (c *Conn) Idle() bool {
	if c.knownIdle() {
		return true
	}
	last := c.use.last.Load()
	return c.use.mark.Load() == unknown && last&1 == 1 && c.use.moving.Load() == 0 &&
		time.Since(c.listener.began)-time.Duration(last>>1) >= quiet
}

// knownIdle is Idle without a guess.
func (c *Conn) knownIdle() bool {
	return c.use.mark.Load() == idle || c.use.mark.Load() == unknown && c.Unused()
}

// lastMoved is when bytes moved last, to compare.
func (c *Conn) lastMoved() int64 { return c.use.last.Load() >> 1 }

// SetIdle says whether something is under way on the connection: a server calls
// it with false when a request comes, and with true when it is answered.
// [Listener.Drain] and [Listener.Shutdown] close what is idle first, and
// nothing of which a server has said that it is not.
func (c *Conn) SetIdle(is bool) {
	if is {
		c.use.mark.Store(idle)
	} else {
		c.use.mark.Store(busy)
	}
}

// ConnState calls SetIdle for an http.Server, for HTTP/1.1 and HTTP/2, in plain
// text and by ServeTLS:
//
//	server := &http.Server{Handler: handler, ConnState: listener.ConnState}
//
// A hijacked connection is what [Conn.Idle] finds it to be.
func (l *Listener) ConnState(conn net.Conn, state http.ConnState) {
	for layer := range socket.Layers(conn) {
		c, ok := layer.(*Conn)
		if !ok {
			continue
		}
		switch state {
		case http.StateNew, http.StateIdle:
			c.SetIdle(true)
		case http.StateActive:
			c.SetIdle(false)
		case http.StateHijacked:
			c.use.mark.Store(unknown)
		}
		return
	}
}
