package main

import (
	"io"
	"net"
	"sync"
)

// A host accepts connections, and attends to each until the client leaves or the
// host closes.
type host struct {
	net.Listener
	attend func(net.Conn)
	broken chan error // the error of Accept, also after close

	mu    sync.Mutex
	conns map[net.Conn]bool // nil once closed
	tasks sync.WaitGroup
}

// newHost starts a host on l. It writes first to each connection, and reads and
// drops what comes.
func newHost(l net.Listener, first string) *host {
	return startHost(l, func(c net.Conn) {
		io.WriteString(c, first)
		io.Copy(io.Discard, c)
	})
}

// newEcho starts a host that says what it hears.
func newEcho(l net.Listener) *host {
	return startHost(l, func(c net.Conn) { io.Copy(c, c) })
}

func startHost(l net.Listener, attend func(net.Conn)) *host {
	h := &host{Listener: l, attend: attend, broken: make(chan error, 1), conns: make(map[net.Conn]bool)}
	h.tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				h.broken <- err
				return
			}
			if h.add(c) {
				h.tasks.Go(func() { h.host(c) })
			} else {
				c.Close()
			}
		}
	})
	return h
}

func (h *host) host(c net.Conn) {
	h.attend(c)
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
