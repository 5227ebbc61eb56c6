package pool

import (
	"net"
	"sync"
	"time"
)

// aheadMax is how much is read before somebody borrows the connection. Behind
// so many bytes an end stays unseen until they are read.
const aheadMax = 4096

// An ahead is a net.Conn from which a goroutine reads while nobody else does.
// That goroutine is not called off when the connection is lent: the borrower's
// first Read waits for it and gets what it has read, and the deadlines the
// borrower sets are the goroutine's too.
type ahead struct {
	net.Conn
	ended func(error) // called when there is no more to read

	mu      sync.Mutex
	news    sync.Cond // something of what follows has changed
	running bool
	idle    bool // since start, nobody has called Read
	again   bool // start was called since the goroutine began to read: the deadline it met is another's
	unread  []byte
	err     error // for every Read behind unread
	piece   [128]byte
}

func newAhead(conn net.Conn, ended func(error)) *ahead {
	a := &ahead{Conn: conn, ended: ended}
	a.news.L = &a.mu
	return a
}

// start begins to read, unless it goes on already.
func (a *ahead) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.idle, a.again = true, true
	if !a.running && a.err == nil && len(a.unread) < aheadMax {
		a.running = true
		go a.run()
	}
}

func (a *ahead) run() {
	for more := true; more; {
		a.mu.Lock()
		a.again = false
		a.mu.Unlock()
		n, err := a.Conn.Read(a.piece[:])
		late := isLate(err) // for the borrower to see by itself
		a.mu.Lock()
		a.unread = append(a.unread, a.piece[:n]...)
		if !late {
			a.err = err
		}
		more = (err == nil || late && a.again) && a.idle && len(a.unread) < aheadMax
		a.running = more
		a.news.Broadcast()
		a.mu.Unlock()
		if err != nil && !late {
			a.ended(err)
		}
	}
}

// pending is Unread if something was read that nobody has had, or how it ended.
func (a *ahead) pending() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.unread) > 0 {
		return Unread
	}
	return a.err
}

func (a *ahead) Read(p []byte) (int, error) {
	a.mu.Lock()
	a.idle = false
	for a.running && len(a.unread) == 0 {
		a.news.Wait()
	}
	if len(a.unread) == 0 && a.err == nil {
		a.mu.Unlock()
		return a.Conn.Read(p)
	}
	defer a.mu.Unlock()
	if len(a.unread) == 0 {
		return 0, a.err
	}
	n := copy(p, a.unread)
	a.unread = a.unread[n:]
	return n, nil
}

// NetConn returns the connection itself, past what was read ahead.
func (a *ahead) NetConn() net.Conn { return a.Conn }

// Close closes the connection and waits for the goroutine. The deadline wakes it
// where closing does not: the streams of yamux can be read after that.
func (a *ahead) Close() error {
	a.mu.Lock()
	a.idle = false
	a.mu.Unlock()
	_ = a.Conn.SetReadDeadline(time.Unix(1, 0))
	err := a.Conn.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.running {
		a.news.Wait()
	}
	return err
}
