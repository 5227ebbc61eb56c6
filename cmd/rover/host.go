package main

import (
	"io"
	"net"
	"sync"
)

// A host accepts connections and reads and forgets what comes, until the
// client leaves or the host closes.
type host struct {
	net.Listener
	greeting string
	broken   chan error // what Accept failed with, by close too

	mu    sync.Mutex
	conns map[net.Conn]bool // nil once closed
	tasks sync.WaitGroup
}

// newHost hosts on l from now on. Each connection is greeted.
func newHost(l net.Listener, greeting string) *host {
	h := &host{Listener: l, greeting: greeting, broken: make(chan error, 1), conns: make(map[net.Conn]bool)}
	h.tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				h.broken <- err
				return
			}
			if h.add(c) {
				h.tasks.Go(func() { h.attend(c) })
			} else {
				c.Close()
			}
		}
	})
	return h
}

func (h *host) attend(c net.Conn) {
	io.WriteString(c, h.greeting)
	io.Copy(io.Discard, c)
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
	c.Close()
}

func (h *host) add(c net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conns == nil {
		return false
	}
	h.conns[c] = true
	return true
}

// close closes the listener and every connection, and returns when nothing of
// the host is left. Further calls do nothing.
func (h *host) close() {
	h.Listener.Close()
	h.mu.Lock()
	conns := h.conns
	h.conns = nil
	h.mu.Unlock()
	for c := range conns {
		c.Close()
	}
	h.tasks.Wait()
}
