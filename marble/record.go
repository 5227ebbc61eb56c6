package marble

import (
	"context"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// recording is what one subscription of an expectation sees.
type recording struct {
	m              *M
	where          string // the expectation's line
	errorsAsValues bool
	windowed       bool // the window says when to unsubscribe
	leave          context.CancelFunc

	mu     sync.Mutex
	events []Event
	ended  bool // no more can come: the channel or the window is closed
}

// observerKey is the key of the recording in its context, so that a source can find which
// expectation subscribed.
type observerKey struct{}

// observe plans to subscribe, and to unsubscribe, as the expectation's window says.
func (e *Expectation) observe(source rxgo.Iterable) *recording {
	m := e.m
	r := &recording{m: m, where: e.where, errorsAsValues: e.errorsAsValues}
	ctx, cancel := context.WithCancel(context.WithValue(m.Context(), observerKey{}, r))
	r.leave = cancel
	from := time.Duration(0)
	for _, event := range e.window.Events {
		switch event.Kind {
		case Subscribed:
			from = event.At
		case Unsubscribed:
			r.windowed = true
			m.agenda.add(event.At, subscriptions, func() {
				r.end()
				cancel()
			})
		}
	}
	m.agenda.plan(e.window.End)
	m.agenda.add(from, subscriptions, func() {
		go r.collect(ctx, source.Observe(rxgo.WithContext(ctx)))
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recordings = append(m.recordings, r)
	return r
}

// collect notes what comes until ctx ends or the channel is closed. It goes on after an
// error, to see what must not come then.
func (r *recording) collect(ctx context.Context, items <-chan rxgo.Item) {
	for {
		select {
		case <-ctx.Done():
			return
		case item, ok := <-items:
			if ctx.Err() != nil {
				return
			}
			r.note(item, ok)
			if !ok {
				return
			}
		}
	}
}

func (r *recording) note(item rxgo.Item, ok bool) {
	at := r.m.agenda.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !ok && r.failed():
	case !ok:
		r.events = append(r.events, Event{At: at, Kind: Completed, Letter: "|"})
	case item.E == nil:
		r.events = append(r.events, Event{At: at, Value: item.V})
	case r.errorsAsValues:
		r.events = append(r.events, Event{At: at, Value: item.E})
	default:
		r.events = append(r.events, Event{At: at, Kind: Failed, Letter: "#", Value: item.E})
	}
	r.ended = r.ended || !ok
}

// failed reports whether the last item was an error. RxGo closes the channel after it, which
// is then no completion.
func (r *recording) failed() bool {
	return len(r.events) > 0 && r.events[len(r.events)-1].Kind == Failed
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
