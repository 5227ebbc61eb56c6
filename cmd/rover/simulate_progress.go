package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A progress says how far something is that takes longer than a second, where
// that is a terminal.
type progress struct {
	out   io.Writer // nil: nobody reads it
	now   func() time.Time
	begun time.Time
	all   int

	mu    sync.Mutex
	shown bool
}

func newProgress(out io.Writer, now func() time.Time, all int) *progress {
	if !isTerminal(out) {
		out = nil
	}
	return &progress{out: out, now: now, begun: now(), all: all}
}

func (p *progress) show(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || p.now().Sub(p.begun) < time.Second {
		return
	}
	p.shown = true
	fmt.Fprintf(p.out, "\r%s of %d", count(done, "run"), p.all)
}

// clear leaves the line as it was.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
