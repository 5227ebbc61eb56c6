package rover_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// watched counts who waits for its end.
type watched struct {
	context.Context
	watchers atomic.Int64
}

func (w *watched) AfterFunc(f func()) (stop func() bool) {
	w.watchers.Add(1)
	end := context.AfterFunc(w.Context, f)
	return func() bool {
		stopped := end()
		if stopped {
			w.watchers.Add(-1)
		}
		return stopped
	}
}

// Value hides the context within, which package context would attach to itself.
func (w *watched) Value(any) any { return nil }

// A stream that has stopped leaves nothing at Start's context, which may live
// as long as the process.
func TestNothingStaysAtStartsContext(t *testing.T) {
	ctx := &watched{Context: t.Context()}
	s := kit.Rove(t)
	kit.Check(t, s.Start(ctx))
	if ctx.watchers.Load() == 0 {
		t.Error("nobody waits for the context's end")
	}
	s.Stop()
	kit.Equal(t, "watchers", ctx.watchers.Load(), 0)
}
