package marble

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// Source is an observable that does what a diagram says, at the times it says, and
// notes when it was subscribed. M.Hot and M.Cold make one.
//
// Each subscriber has a queue as production has it, that of a hot.Subject: one that stops
// reading loses what finds its queue full. A failed test says so.
type Source struct {
	rxgo.Observable
	m       *M
	diagram Diagram
	text    string // the diagram as the test has it
	hot     bool
	queue   []hot.SubjectOption

	mu            sync.Mutex
	emitted       int             // of a hot source: how many events are past
	subscriptions []*subscription // all there have been, in order
	subscribed    []*subscription // those of a hot source that are open
	served        []*subscription // to whom it emits now; the driver's own
}

// subscription is one observer of a source.
type subscription struct {
	subject  *hot.Subject
	by       *recording // of the expectation that subscribed; nil: not by one
	from, to time.Duration
	over     bool // the source has ended, or the subscriber has left: at the time to
	closed   bool // nobody reads any more
	open     bool // not over when the time of the test was
	reported bool
	queued   atomic.Int64 // values that it was given and has not taken
	lost     atomic.Int64 // values that found its queue full
}

func (m *M) newSource(text string, g grammar, values []Values) *Source {
	m.Helper()
	s := &Source{
		m:       m,
		diagram: m.parse(text, g, values),
		text:    text,
		hot:     g.hot,
	}
	s.Observable = hot.Using(s.open)
	m.mu.Lock() // a pipeline may make sources while it runs
	defer m.mu.Unlock()
	m.sources = append(m.sources, s)
	return s
}

// Queue sets what the subscribers' queues are like: the options of a hot.Subject, such as
// hot.WithQueue, hot.WithOverflow or hot.WithGrowingQueue. By default they are those of a
// Subject without options. It returns s, and comes before the first subscription.
func (s *Source) Queue(options ...hot.SubjectOption) *Source {
	s.queue = append(s.queue[:len(s.queue):len(s.queue)], options...)
	return s
}

// Unwrap makes package hot subscribe to a source as it does to a Subject's own view.
func (s *Source) Unwrap() rxgo.Observable { return s.Observable }

// Diagram is what the source was made of, with the value of each event.
func (s *Source) Diagram() Diagram { return s.diagram }

func (s *Source) String() string {
	if s.hot {
		return "hot " + s.text
	}
	return "cold " + s.text
}

// play plans to emit the diagram's events, each at its time, until emit returns false.
func (s *Source) play(phase int, from time.Duration, emit func(i int) bool) {
	events := s.diagram.Events
	if len(events) == 0 {
		return
	}
	i := 0
	t := &task{at: from + events[0].At, phase: phase}
	t.do = func() bool {
		goesOn := emit(i)
		if i++; !goesOn || i == len(events) {
			return false
		}
		t.at = from + events[i].At
		return true
	}
	s.m.agenda.add(t)
}

// emitToAll emits an event of a hot source, to one subscriber after the other: what one
// does at that is done before the next one gets the event, and may be that the next one
// leaves.
func (s *Source) emitToAll(i int) bool {
	s.mu.Lock()
	s.emitted = i + 1
	s.served = append(s.served[:0], s.subscribed...)
	s.mu.Unlock()
	for n, sub := range s.served {
		if n > 0 {
			synctest.Wait()
		}
		s.emit(sub, i)
	}
	return true
}

// emit sends an event to one observer, and reports whether that is still subscribed.
func (s *Source) emit(sub *subscription, i int) bool {
	s.mu.Lock()
	over := sub.over
	if !over && isEnd(s.diagram.Events[i].Kind) {
		sub.end(s.m.agenda.now())
	}
	s.mu.Unlock()
	if over {
		return false
	}
	switch e := s.diagram.Events[i]; e.Kind {
	case Next:
		sub.queued.Add(1)
		sub.subject.Publish(e.Value)
	case Completed:
		sub.subject.Complete()
	case Failed:
		sub.subject.Fail(e.Value.(error))
	}
	return true
}

// open runs on the goroutine that subscribes.
func (s *Source) open(ctx context.Context) (source rxgo.Observable, closed func()) {
	now := s.m.agenda.now()
	sub := &subscription{from: now}
	overflowed := hot.WithOverflowed(func(any) { sub.lost.Add(1); sub.queued.Add(-1) })
	sub.subject = hot.NewSubject(append([]hot.SubjectOption{overflowed}, s.queue...)...)
	sub.by, _ = ctx.Value(observerKey{}).(*recording)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscriptions = append(s.subscriptions, sub)
	switch last := len(s.diagram.Events) - 1; {
	case !s.hot:
		s.m.agenda.begin(now + s.diagram.End)
		s.play(coldSources, now, func(i int) bool { return s.emit(sub, i) })
	case s.diagram.ended() && s.emitted > last: // a late subscriber sees the end alone
		sub.end(now)
		if e := s.diagram.Events[last]; e.Kind == Failed {
			sub.subject.Fail(e.Value.(error))
		} else {
			sub.subject.Complete()
		}
	default:
		s.subscribed = append(s.subscribed, sub)
	}
	taken := func(any) bool { sub.queued.Add(-1); return true }
	return sub.subject.Observable().Filter(taken), func() { s.close(sub) }
}

// end notes when a subscription was over.
func (sub *subscription) end(at time.Duration) {
	if !sub.over {
		sub.over, sub.to = true, at
	}
}

func (s *Source) close(sub *subscription) {
	now := s.m.agenda.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.closed = true
	sub.end(now)
	for i, other := range s.subscribed {
		if other == sub {
			s.subscribed = append(s.subscribed[:i], s.subscribed[i+1:]...)
			break
		}
	}
}

// settle notes which subscriptions are open when the time of the test is over. Those that
// close later do so because the test is over.
func (s *Source) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscriptions {
		sub.open = !sub.over
		if !sub.closed && sub.by != nil && sub.by.over() {
			sub.reported = true
			s.m.fail(sub.by.where, "a subscription left open: %q was subscribed at %v by what is expected here, "+
				"which has ended, and did not unsubscribe%s", s, sub.from, sub.untaken())
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

// release ends the subscriptions that are left.
func (s *Source) release() {
	s.mu.Lock()
	all := s.subscriptions
	s.mu.Unlock()
	for _, sub := range all {
		sub.subject.Complete()
	}
}

func (sub *subscription) untaken() string {
	if n := sub.queued.Load(); n > 0 {
		return fmt.Sprintf("; of what it emitted %d were never taken", n)
	}
	return ""
}

// overflowed has a line for each subscription that has lost something.
func (s *Source) overflowed() (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscriptions {
		if n := sub.lost.Load(); n > 0 {
			lines = append(lines, fmt.Sprintf("%q, subscribed at %v: %d of its values found the subscriber's queue full and were lost",
				s, sub.from, n))
		}
	}
	return lines
}
