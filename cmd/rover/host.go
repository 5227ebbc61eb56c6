package main

import (
	"io"
	"net"
	"sync"
)

// A host accepts connections, and reads and drops what comes until the client
// leaves or the host closes.
type host struct {
	net.Listener
	first  string     // written to each connection; may be empty
	broken chan error // the error of Accept, also after close

	mu    sync.Mutex
	conns map[net.Conn]bool // nil once closed
	tasks sync.WaitGroup
}

// newHost starts a host on l. It writes first to each connection.
func newHost(l net.Listener, first string) *host {
	h := &host{Listener: l, first: first, broken: make(chan error, 1), conns: make(map[net.Conn]bool)}
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
	io.WriteString(c, h.first)
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

// close closes the listener and every connection, and waits for the host's
// goroutines. Further calls do nothing.
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
