package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A reader is who reads an output: nobody, for as long as it is stopped.
type reader struct {
	stopped chan struct{} // closed: reads
	text    strings.Builder
	each    time.Duration
}

func (r *reader) Write(b []byte) (int, error) {
	<-r.stopped
	time.Sleep(r.each)
	return r.text.Write(b)
}

// Nothing is lost to a slow reader, and everything is written at the end as long as
// there is progress.
func TestOutletWaitsForASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stopped: make(chan struct{}), each: 10 * time.Millisecond}
		close(r.stopped)
		o := newOutlet(r)
		for range 3 * room {
			io.WriteString(o, "x\n")
		}
		o.end()
		io.WriteString(o, "summary\n")
		if err := o.close(); err != nil {
			t.Error(err)
		}
		equal(t, "lines", strings.Count(r.text.String(), "\n"), 3*room+1)
	})
}

// Nobody reads: the end comes all the same, soon.
func TestOutletWithoutAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stopped: make(chan struct{})}
		o := newOutlet(r)
		began := time.Now()
		go func() { time.Sleep(10 * time.Second); o.end() }()
		for range 2 * room {
			io.WriteString(o, "x\n")
		}
		o.close()
		if took := time.Since(began); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("took %v, want the 10 s until the end and no more than 2", took)
		}
		close(r.stopped)
	})
}

// What goes on although nobody reads never waits.
func TestLossyOutlet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stopped: make(chan struct{})}
		o := newOutlet(r)
		o.lossy = true
		began := time.Now()
		for range 2 * room {
			io.WriteString(o, "x\n")
		}
		equal(t, "waited", time.Since(began), 0)
		close(r.stopped)
		o.close()
	})
}

// The first write that fails is the last, and whoever asked is called.
func TestOutletFails(t *testing.T) {
	out := &broken{err: errors.New("full")}
	o := newOutlet(out)
	failed := make(chan error, 1)
	o.onFailure(func(err error) { failed <- err })
	io.WriteString(o, "x\n")
	equal(t, "error", <-failed, out.err)
	if _, err := io.WriteString(o, "x\n"); err != out.err {
		t.Error(err)
	}
	equal(t, "at the end", o.close(), out.err)
	equal(t, "writes", out.writes, 1)
}
