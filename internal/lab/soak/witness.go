//go:build !plan9

package main

import (
	"errors"
	"net"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/faulty"
	"github.com/reactivex/rxgo/v2"
)

// A witness sees every event of a life: its queues are long enough. It declines every connection.
type witness struct {
	life *life
	seen rover.Stats // only what can be seen
	over []rxgo.Disposed
}

func newWitness(l *life) *witness {
	w := &witness{life: l}
	watch := func(source rxgo.Observable, see func(any)) {
		w.over = append(w.over, source.ForEach(
			func(v any) { l.run.events.Add(1); see(v) },
			func(err error) { l.wrong("a stream failed: %w", err) },
			func() {},
			rxgo.WithBufferedChannel(1<<20)))
	}
	watch(l.stream.Connections(), func(v any) {
		c := v.(*rover.Connection)
		w.seen.Connections++
		w.expect(c.Server, faulty.Connections, c)
		c.Decline()
	})
	watch(l.stream.Unreachable(), func(v any) {
		err := v.(*rover.UnreachableError)
		w.seen.Unreachable++
		w.expect(err.Server, faulty.Unreachable, err)
	})
	watch(l.stream.Errors(), func(v any) { w.seeError(v.(error)) })
	return w
}

func (w *witness) seeError(err error) {
	var wrongLine *rover.ProtocolError
	var panicked *rover.PanicError
	switch {
	case errors.As(err, &wrongLine):
		w.seen.ProtocolErrors++
		w.expect(wrongLine.Server, faulty.Errors, err)
	case errors.Is(err, rover.ErrBusy):
		w.seen.Busy++
	case errors.Is(err, rover.ErrNoServers):
		w.seen.NoServers++
	case errors.As(err, &panicked) && panicked.In == "dialer", errors.Is(err, rover.ErrResources):
		w.seen.Failures++
	}
}

// expect checks that an event fits its server: a sound one can be used, a faulty one does as its
// case wants. On a busy machine any server may be too slow. If the whole process stood still, one
// that is too slow may seem in time.
func (w *witness) expect(server rover.Server, stream faulty.Stream, event any) {
	want := []faulty.Outcome{{Stream: faulty.Connections}}
	if c, ok := w.life.field.cases[server.Addr()]; ok {
		want = c.Want
		if want[0].After > 0 && stream == faulty.Connections {
			return
		}
	}
	for _, outcome := range want {
		if outcome.Stream == stream {
			return
		}
	}
	var late net.Error
	if err, ok := event.(error); ok && errors.As(err, &late) && late.Timeout() {
		return
	}
	w.life.wrong("from %v came %v on %s, want %v", server, event, stream, want)
}

// wait waits until all streams have ended.
func (w *witness) wait() {
	for _, over := range w.over {
		<-over
	}
}

// check compares the counters with what was seen. Each attempt that ended was emitted once. Skipped
// ticks may be missing, if the stream ended before they were emitted.
func (w *witness) check(n rover.Stats) {
	seen := w.seen
	if seen.Connections != n.Connections || seen.Unreachable != n.Unreachable ||
		seen.ProtocolErrors != n.ProtocolErrors || seen.Failures != n.Failures {
		w.life.wrong("counted %+v, but seen %+v", n, seen)
	}
	if seen.Busy > n.Busy || seen.NoServers > n.NoServers {
		w.life.wrong("counted %d busy and %d empty ticks, but saw %d and %d", n.Busy, n.NoServers, seen.Busy, seen.NoServers)
	}
}
