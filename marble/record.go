package marble

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// recording is what one subscription of an expectation sees.
type recording struct {
	m              *M
	where          string // the expectation's line
	source         rxgo.Iterable
	from           time.Duration
	errorsAsValues bool
	inner          bool // observables are recorded, too
	windowed       bool // the window says when to unsubscribe
	leave          context.CancelFunc

	mu     sync.Mutex
	events []Event
	copied []copied
	ended  bool // no more can come: the channel or the window is closed
}

// copied is a value that was emitted and of which there is a copy.
type copied struct {
	at              time.Duration
	snapshot, value any
}

// observerKey is the key of the recording in its context, so that a source can find which
// expectation subscribed.
type observerKey struct{}

// record makes a recording that has not yet begun.
func (m *M) record(where string, errorsAsValues, inner bool) (r *recording, ctx context.Context) {
	r = &recording{m: m, where: where, errorsAsValues: errorsAsValues, inner: inner}
	ctx, r.leave = context.WithCancel(context.WithValue(m.Context(), observerKey{}, r))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recordings = append(m.recordings, r)
	return r, ctx
}

// observe plans to subscribe, and to unsubscribe, as the expectation's window says.
func (e *Expectation) observe(source rxgo.Iterable) *recording {
	m := e.m
	r, ctx := m.record(e.where, e.errorsAsValues, false)
	for _, event := range e.window.Events {
		switch event.Kind {
		case Subscribed:
			r.from = event.At
		case Unsubscribed:
			r.windowed = true
			m.agenda.once(event.At, expectations, func() {
				r.end()
				r.leave()
			})
		}
	}
	m.agenda.plan(e.window.End)
	m.agenda.once(r.from, expectations, func() { r.begin(ctx, source) })
	return r
}

// begin subscribes, and notes what comes on a goroutine of its own.
func (r *recording) begin(ctx context.Context, source rxgo.Iterable) {
	r.source = source
	items := itemsOf(ctx, source)
	go r.collect(ctx, items)
}

// itemsOf subscribes to source, at once.
func itemsOf(ctx context.Context, source rxgo.Iterable) iter.Seq[rxgo.Item] {
	if o, ok := source.(rxgo.Observable); ok && hot.Ours(o) {
		return hot.Items(ctx, o) // without a channel between
	}
	channel := source.Observe(rxgo.WithContext(ctx))
	return func(yield func(rxgo.Item) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case item, ok := <-channel:
				if !ok || !yield(item) {
					return
				}
			}
		}
	}
}

// collect notes what comes until ctx or the source ends. It goes on after an error, to see
// what must not come then.
func (r *recording) collect(ctx context.Context, items iter.Seq[rxgo.Item]) {
	for item := range items {
		if ctx.Err() != nil {
			return
		}
		r.note(item)
	}
	if ctx.Err() == nil {
		r.complete()
	}
}

func (r *recording) note(item rxgo.Item) {
	event := Event{At: r.m.agenda.now()}
	switch {
	case item.E != nil && r.errorsAsValues:
		event.Value = item.E
	case item.E != nil:
		event.Kind, event.Letter, event.Value = Failed, "#", item.E
	default:
		event.Value = r.kept(item.V, event.At)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

// kept is what a recording keeps of a value: a snapshot, for the value may be changed later,
// or what an inner observable does.
func (r *recording) kept(v any, at time.Duration) any {
	if inner, ok := v.(rxgo.Iterable); ok && r.inner {
		within, ctx := r.m.record(r.where, r.errorsAsValues, true)
		within.from, within.windowed = at, true // the test does not last longer for it
		within.begin(ctx, inner)
		return within
	}
	was, isCopy := snapshot(v)
	if isCopy {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.copied = append(r.copied, copied{at, was, v})
	}
	return was
}

// changed has a line for each value that was changed after it was emitted.
func (r *recording) changed() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.copied {
		if !deepEqual(c.snapshot, c.value) {
			lines = append(lines, fmt.Sprintf("%s, emitted at %v, was changed later: it is %s now", show(c.snapshot), c.at, show(c.value)))
		}
	}
	return lines
}

func (r *recording) complete() {
	at := r.m.agenda.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	// RxGo closes the channel after an error, which is then no completion.
	if n := len(r.events); n == 0 || r.events[n-1].Kind != Failed {
		r.events = append(r.events, Event{At: at, Kind: Completed, Letter: "|"})
	}
	r.ended = true
}

func (r *recording) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// over reports whether no more can come.
func (r *recording) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// waits reports whether more may come, with no window to end it.
func (r *recording) waits() bool { return !r.windowed && !r.over() }

// diagram is what was seen. Its values have no letters yet.
func (r *recording) diagram() Diagram {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := Diagram{Frame: r.m.frame, Events: r.events}
	if n := len(r.events); n > 0 {
		d.End = r.events[n-1].At
	}
	return d
}

// sinceSubscribed is the diagram of an inner observable: its frame zero is when it was
// emitted.
func (r *recording) sinceSubscribed() Diagram {
	d := r.diagram()
	d.Events = append([]Event(nil), d.Events...)
	for i := range d.Events {
		d.Events[i].At -= r.from
	}
	d.End = max(0, d.End-r.from)
	return d
}
