package pool

import (
	"os"
	"sync"
	"syscall"
)

// A poller has the system tell which sockets the other side has closed. Its
// epoll asks for EPOLLRDHUP and nothing else (epoll_ctl(2)): that does not
// read, is not kept from seeing the end by bytes in front of it, and does not
// wake up for those. The epoll itself is waited for by Go's own, so that it
// costs one goroutine and no thread.
type poller struct {
	// mu is held from asking the system until the pool knows the answer.
	mu      sync.Mutex
	file    *os.File // nil: not needed yet
	fd      int
	entries map[uint64]*entry // by token; a descriptor's number may be another's by now
	tokens  uint64
	closed  bool
	running sync.WaitGroup
}

// add watches a socket. When it returns, a socket that was closed already is
// known to be dead. False: it cannot be watched.
func (w *poller) add(e *entry, raw syscall.RawConn) bool {
	w.mu.Lock()
	if !w.start() {
		w.mu.Unlock()
		return false
	}
	w.tokens++
	e.token = w.tokens
	event := syscall.EpollEvent{
		Events: syscall.EPOLLRDHUP | 1<<31, // EPOLLET, which syscall has as a negative number
		Fd:     int32(e.token),
		Pad:    int32(e.token >> 32),
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_ADD, int(fd), &event)
	})
	if err != nil || failed != nil {
		w.mu.Unlock()
		return false
	}
	w.entries[e.token] = e
	gone := w.look()
	w.mu.Unlock()
	closeAll(gone)
	return true
}

// forget has to come before the socket is closed, which takes it out of the
// epoll, or after.
func (w *poller) forget(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.entries, e.token)
}

// start makes the epoll with the first socket. False: it cannot.
func (w *poller) start() bool {
	if w.file != nil || w.closed {
		return !w.closed
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return false
	}
	file := os.NewFile(uintptr(fd), "pool")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return false
	}
	w.fd, w.file, w.entries = fd, file, make(map[uint64]*entry)
	w.running.Go(func() {
		_ = raw.Read(func(uintptr) bool { // until the file is closed
			w.mu.Lock()
			gone := w.look()
			w.mu.Unlock()
			closeAll(gone)
			return false
		})
	})
	return true
}

// look asks the system who is gone and takes them out of the pool. Those it
// returns are to be closed without the lock.
func (w *poller) look() (home []*entry) {
	var events [64]syscall.EpollEvent
	for !w.closed {
		n, err := syscall.EpollWait(w.fd, events[:], 0)
		if err == syscall.EINTR {
			continue
		}
		for _, event := range events[:max(n, 0)] {
			token := uint64(uint32(event.Pad))<<32 | uint64(uint32(event.Fd))
			e := w.entries[token]
			delete(w.entries, token)
			if e != nil && e.pool.lose(e, nil) {
				home = append(home, e)
			}
		}
		if n < len(events) {
			break
		}
	}
	return home
}

func closeAll(gone []*entry) {
	for _, e := range gone {
		e.close()
	}
}

// close ends the watch over everything and returns when the goroutine has ended.
func (w *poller) close() {
	w.mu.Lock()
	w.closed = true
	file := w.file
	w.mu.Unlock()
	if file != nil {
		file.Close()
		w.running.Wait()
	}
}
