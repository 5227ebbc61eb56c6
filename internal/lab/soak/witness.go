//go:build !plan9

package main

import (
	"errors"
	"net"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/faulty"
	"github.com/reactivex/rxgo/v2"
)

// A witness sees every event of a life: its queues are longer than a life. It wants no connection,
// and sees none that is over before its turn comes.
type witness struct {
	life     *life
	seen     rover.Stats // on the three streams: only what can be seen
	outcomes rover.Stats // by their outcomes
	over     []rxgo.Disposed
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
	watch(l.stream.Errors(), func(v any) {
		err := v.(error)
		countError(&w.seen, err)
		var wrongLine *rover.ProtocolError
		if errors.As(err, &wrongLine) {
			w.expect(wrongLine.Server, faulty.Errors, err)
		}
	})
	watch(l.stream.Outcomes(), func(v any) {
		switch err := v.(rover.Outcome).Err.(type) {
		case nil:
			w.outcomes.Connections++
		case *rover.UnreachableError:
			w.outcomes.Unreachable++
		default:
			countError(&w.outcomes, err)
		}
	})
	return w
}

// countError counts what comes on Errors, or as the error of an outcome.
func countError(n *rover.Stats, err error) {
	var wrongLine *rover.ProtocolError
	var panicked *rover.PanicError
	switch {
	case errors.As(err, &wrongLine):
		n.ProtocolErrors++
	case errors.Is(err, rover.ErrBusy):
		n.Busy++
	case errors.Is(err, rover.ErrNoServers):
		n.NoServers++
	case errors.Is(err, rover.ErrDropped):
		n.Aborted++
	case errors.As(err, &panicked) && panicked.In == "pick":
		n.BadPicks++
	case errors.As(err, &panicked) && panicked.In == "dialer", errors.Is(err, rover.ErrResources):
		n.Failures++
	}
}

// expect holds an event to what its server does: sound ones can be used, faulty ones are as their
// case wants. On a machine as busy as this any may be too slow, and where the whole process stood
// still, one that is too slow may seem in time.
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

// check holds the counters to what was seen. Each attempt that ended has one outcome, and one event
// unless it was an offer that was over at once. Skipped ticks have theirs unless the end of the
// stream came between. Offers that the witness had were declined, if nothing else became of them.
func (w *witness) check(n rover.Stats) {
	for _, seen := range []rover.Stats{w.seen, w.outcomes} {
		if seen.Unreachable != n.Unreachable || seen.ProtocolErrors != n.ProtocolErrors || seen.Failures != n.Failures {
			w.life.wrong("counted %+v, but seen %+v", n, seen)
		}
		if seen.Busy > n.Busy || seen.BadPicks > n.BadPicks || seen.NoServers > n.NoServers+n.Attempts { // which made up for some
			w.life.wrong("counted %+v, but saw %d busy ticks, %d empty and %d bad picks", n, seen.Busy, seen.NoServers, seen.BadPicks)
		}
	}
	if w.outcomes.Connections != n.Connections || w.seen.Connections > n.Connections {
		w.life.wrong("counted %d connections, but saw %d outcomes and %d offers", n.Connections, w.outcomes.Connections, w.seen.Connections)
	}
	if w.outcomes.NoServers > n.NoServers || w.outcomes.Aborted > n.Aborted {
		w.life.wrong("counted %+v, but the outcomes are %+v", n, w.outcomes)
	}
	if n.Overflowed != 0 || n.Left != 0 {
		w.life.wrong("%d offers overflowed and %d were left, while the witness had them", n.Overflowed, n.Left)
	}
}
