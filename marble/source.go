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

// Source is an observable that does what a diagram says, at the times it says, and
// notes when it was subscribed. M.Hot and M.Cold make one.
type Source struct {
	rxgo.Observable
	m       *M
	diagram Diagram
	text    string // the diagram as the test has it
	rank    int    // among sources, at one instant
	hot     bool

	mu            sync.Mutex
	emitted       int // of a hot source: how many events are past
	subscriptions []*subscription
}

// subscription is one observer of a source.
type subscription struct {
	items    chan rxgo.Item // has room for the whole diagram; closed where the diagram ends
	by       *recording     // of the expectation that subscribed; nil: not by one
	from, to time.Duration
	closed   bool
	open     bool // not closed when the time of the test was over
	reported bool
}

func (m *M) newSource(text string, g grammar, values []Values) *Source {
	m.Helper()
	s := &Source{
		m:       m,
		diagram: m.parse(text, g, values),
		text:    text,
		hot:     g.hot,
	}
	s.Observable = hot.Create(s.subscribe, nil)
	m.mu.Lock() // a pipeline may make sources while it runs
	defer m.mu.Unlock()
	s.rank = firstSource + len(m.sources)
	m.sources = append(m.sources, s)
	return s
}

// Diagram is what the source was made of, with the value of each event.
func (s *Source) Diagram() Diagram { return s.diagram }

func (s *Source) String() string {
	if s.hot {
		return "hot " + s.text
	}
	return "cold " + s.text
}

// schedule emits the diagram's events from i on, each at its time, until emit returns false.
func (s *Source) schedule(i int, offset time.Duration, emit func(i int) bool) {
	if i == len(s.diagram.Events) {
		return
	}
	s.m.agenda.add(offset+s.diagram.Events[i].At, s.rank, func() {
		if emit(i) {
			s.schedule(i+1, offset, emit)
		}
	})
}

// emitToAll emits an event of a hot source.
func (s *Source) emitToAll(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emitted = i + 1
	for _, sub := range s.subscriptions {
		sub.emit(s.diagram.Events[i])
	}
	return true
}

// emit sends an event to one observer, and reports whether that is still subscribed.
func (sub *subscription) emit(e Event) bool {
	if sub.closed {
		return false
	}
	switch e.Kind {
	case Next:
		sub.items <- rxgo.Of(e.Value)
	case Completed:
		close(sub.items)
	case Failed:
		sub.items <- rxgo.Error(e.Value.(error))
		close(sub.items)
	}
	return true
}

// subscribe runs on the goroutine that subscribes.
func (s *Source) subscribe(ctx context.Context) iter.Seq[rxgo.Item] {
	sub := s.open(ctx)
	return func(yield func(rxgo.Item) bool) {
		defer s.close(sub)
		for {
			select {
			case item, ok := <-sub.items:
				if !ok || !yield(item) {
					return
				}
			case <-ctx.Done():
				return
			case <-s.m.released:
				return
			}
		}
	}
}

func (s *Source) open(ctx context.Context) *subscription {
	now := s.m.agenda.now()
	sub := &subscription{items: make(chan rxgo.Item, len(s.diagram.Events)), from: now}
	sub.by, _ = ctx.Value(observerKey{}).(*recording)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscriptions = append(s.subscriptions, sub)
	switch last := len(s.diagram.Events) - 1; {
	case !s.hot:
		s.m.agenda.begin(now + s.diagram.End)
		s.schedule(0, now, func(i int) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return sub.emit(s.diagram.Events[i])
		})
	case s.diagram.ended() && s.emitted > last:
		sub.emit(s.diagram.Events[last]) // a late subscriber sees the end alone
	}
	return sub
}

func (s *Source) close(sub *subscription) {
	now := s.m.agenda.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.closed, sub.to = true, now
}

// settle notes which subscriptions are open when the time of the test is over. Those that
// close later do so because the test is over.
func (s *Source) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscriptions {
		sub.open = !sub.closed
		if sub.open && sub.by != nil && sub.by.over() {
			sub.reported = true
			s.m.Errorf("marble: a subscription left open: %q was subscribed at %v by what is expected at %s, "+
				"which has ended, and did not unsubscribe%s", s, sub.from, sub.by.where, sub.untaken())
		}
	}
}

// reportOpen fails the test for each subscription that is still open.
func (s *Source) reportOpen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscriptions {
		if !sub.closed && !sub.reported {
			s.m.Errorf("marble: a subscription left open: %q was subscribed at %v, "+
				"and still is when the test is over%s", s, sub.from, sub.untaken())
		}
	}
}

func (sub *subscription) untaken() string {
	if n := len(sub.items); n > 0 {
		return fmt.Sprintf("; of what it emitted %d were never taken", n)
	}
	return ""
}
