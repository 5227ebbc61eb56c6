package main

import (
	"context"
	"io"
	"sync"
	"time"
)

// An outlet writes what it is given from a goroutine of its own, so that a
// command ends when it should although nobody reads its output. Until its end
// has come, Write waits for room: nothing is lost to a reader that is slow. From
// then on it waits no longer than grace, once.
type outlet struct {
	to    io.Writer
	lines chan []byte
	ended chan struct{} // closed when the command is to end
	end   func()
	wrote sync.WaitGroup

	mu     sync.Mutex
	err    error       // of the first write that failed; there is no other
	failed func(error) // called with it
	stuck  bool        // nobody reads: what comes is dropped
	closed bool
	lossy  bool // Write never waits
}

const (
	room  = 4096 // lines
	grace = 500 * time.Millisecond
)

func newOutlet(to io.Writer) *outlet {
	o := &outlet{to: to, lines: make(chan []byte, room), ended: make(chan struct{})}
	o.end = sync.OnceFunc(func() { close(o.ended) })
	o.wrote.Go(func() {
		for line := range o.lines {
			o.write(line)
		}
	})
	return o
}

func (o *outlet) write(line []byte) {
	o.mu.Lock()
	broken := o.err != nil
	o.mu.Unlock()
	if broken {
		return
	}
	if _, err := o.to.Write(line); err != nil {
		o.mu.Lock()
		o.err = err
		failed := o.failed
		o.mu.Unlock()
		if failed != nil {
			failed(err)
		}
	}
}

// onFailure has f called with the error of the write that fails, if one does.
func (o *outlet) onFailure(f func(error)) {
	o.mu.Lock()
	err := o.err
	o.failed = f
	o.mu.Unlock()
	if err != nil {
		f(err)
	}
}

// Write returns the error of an earlier write.
func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	err, drop, lossy := o.err, o.stuck || o.closed, o.lossy
	o.mu.Unlock()
	if err != nil {
		return 0, err
	}
	line := append([]byte(nil), b...)
	select {
	case o.lines <- line:
		return len(b), nil
	default:
	}
	if drop || lossy {
		return len(b), nil
	}
	select {
	case o.lines <- line:
		return len(b), nil
	case <-o.ended:
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case o.lines <- line:
	case <-late.C:
		o.mu.Lock()
		o.stuck = true
		o.mu.Unlock()
	}
	return len(b), nil
}

// close waits until everything is written, as long as anybody reads. It returns
// the error of the write that failed. Nothing may be written after it.
func (o *outlet) close() error {
	o.end()
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	close(o.lines)
	done := make(chan struct{})
	go func() { o.wrote.Wait(); close(done) }()
	for left := -1; ; {
		late := time.NewTimer(grace)
		select {
		case <-done:
			late.Stop()
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.err
		case <-late.C:
			if n := len(o.lines); n != left {
				left = n // somebody reads, slowly
				continue
			}
			return nil
		}
	}
}

// outletOf makes the outlet of a command, which ends with ctx.
func outletOf(ctx context.Context, to io.Writer) (o *outlet, close func() error) {
	o = newOutlet(to)
	unhook := context.AfterFunc(ctx, o.end)
	return o, func() error { unhook(); return o.close() }
}
