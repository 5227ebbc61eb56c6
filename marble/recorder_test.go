package marble

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// recorder is a testing.TB that keeps failures to itself.
type recorder struct {
	testing.TB
	ctx      context.Context
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Fail()             {}
func (r *recorder) Output() io.Writer { return r }

// Write is what is written to Output: a failure at a line of the test's own.
func (r *recorder) Write(text []byte) (int, error) {
	r.Errorf("%s", text)
	return len(text), nil
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// failuresOf runs a marble test that is to fail, and returns what it failed with.
func failuresOf(t *testing.T, f func(m *M)) (failures []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { failures = failuresIn(t, f) })
	return failures
}

// failuresIn is failuresOf for a caller that is in a bubble already.
func failuresIn(t *testing.T, f func(m *M)) []string {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{TB: t, ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			cancel()
			for len(r.cleanups) > 0 {
				last := len(r.cleanups) - 1
				cleanup := r.cleanups[last]
				r.cleanups = r.cleanups[:last]
				cleanup()
			}
		}()
		run(r, f)
	}()
	<-done
	return r.failures
}

// mustFail runs a marble test that is to fail, once, with a text that has all the parts.
func mustFail(t *testing.T, f func(m *M), parts ...string) {
	t.Helper()
	failures := failuresOf(t, f)
	if len(failures) != 1 {
		t.Fatalf("failed %d times, want once: %s", len(failures), strings.Join(failures, "\n"))
	}
	for _, part := range parts {
		if !strings.Contains(failures[0], part) {
			t.Errorf("the failure does not say %q:\n%s", part, failures[0])
		}
	}
}
