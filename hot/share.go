package hot

import (
	"context"
	"sync"

	"github.com/reactivex/rxgo/v2"
)

// Share lets any number of subscribers have one subscription to source. It is
// made with the first of them and left with the last; one that comes later
// gets what is emitted from then on, and one that comes after the end starts
// anew. Source is not made to wait for a slow subscriber: they are those of a
// Subject with the given options.
func Share(source rxgo.Observable, opts []rxgo.Option, subject ...SubjectOption) rxgo.Observable {
	return ShareAs(source, Sharing{}, opts, subject...)
}

// Sharing says how ShareAs differs from Share.
type Sharing struct {
	// Replay is how many of the latest values a newcomer gets first. 0: none.
	Replay int
	// KeepEnd lets a newcomer after the completion have the replayed values and the
	// completion, instead of starting anew; KeepError likewise, after an error.
	KeepEnd, KeepError bool
	// Stay keeps the subscription to source when the last subscriber leaves, until
	// source ends by itself.
	Stay bool
	// Lossless makes source wait for the slowest subscriber, and for all that never
	// read. A source that cannot wait, such as a Subject, needs a queue that grows for
	// that (see Lossless).
	Lossless bool
}

// ShareAs is Share by other rules. It panics if Replay is negative.
func ShareAs(source rxgo.Observable, how Sharing, opts []rxgo.Option, subject ...SubjectOption) rxgo.Observable {
	if how.Replay != 0 {
		subject = append(subject[:len(subject):len(subject)], WithRecent(how.Replay))
	}
	return newObservable((&shared{source: source, how: how, subject: subject}).attach, opts)
}

type shared struct {
	source  rxgo.Observable
	how     Sharing
	subject []SubjectOption

	mu  sync.Mutex
	now *sharing // nil: nobody has subscribed
}

// A sharing is one subscription to the source and its subscribers.
type sharing struct {
	*Subject
	joined int // how many subscribe through it
	source *loop
	err    error
	room   chan struct{} // somebody has taken an item, or left
	cancel context.CancelFunc
	done   chan struct{}
}

func (s *shared) attach(who subscriber, to sink) (leave func()) {
	mine, first := s.enter(who)
	entered := false
	defer unless(&entered, func() { s.leave(mine) })
	if first {
		defer func() { go s.pump(mine) }()
	}
	p := mine.seat(who, to, func() {
		entered = true
		mine.roomy()
		s.leave(mine)
	})
	p.freed, p.source = mine.roomy, mine.source
	entered = true
	return p.leave
}

// enter joins the sharing or makes one, subscribed to the source and not yet
// read: the first subscriber is to miss nothing.
func (s *shared) enter(who subscriber) (mine *sharing, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first = s.now == nil; first {
		mine := &sharing{Subject: NewSubject(s.subject...), done: make(chan struct{}), room: make(chan struct{}, 1)}
		var run context.Context
		run, mine.cancel = context.WithCancel(context.Background())
		made := false
		defer unless(&made, mine.cancel)
		source := from(s.source, nil)
		mine.source = source.subscribe(subscriber{ctx: run}.as(source, nil), func(item rxgo.Item) bool { return s.emit(mine, item) })
		made = true
		s.now = mine
	}
	mine = s.now
	mine.joined++
	if mine.growsFor(who) {
		mine.source.growing()
	}
	return mine, first
}

func (s *shared) emit(mine *sharing, item rxgo.Item) bool {
	if mine.err = item.E; item.Error() {
		return false
	}
	for s.how.Lossless && mine.full() {
		select {
		case <-mine.room:
		case <-mine.source.ctx.Done():
			return false
		}
	}
	mine.Publish(item.V)
	if mine.each != nil {
		mine.drop(item.V) // each subscriber has a copy of its own
	}
	return true
}

func (mine *sharing) roomy() {
	select {
	case mine.room <- struct{}{}:
	default:
	}
}

func (s *shared) pump(mine *sharing) {
	defer close(mine.done)
	mine.source.run()
	stays := s.how.KeepEnd
	if mine.err != nil {
		stays = s.how.KeepError
	}
	s.mu.Lock()
	if s.now == mine && !stays {
		s.now = nil // who comes now starts anew
	}
	s.mu.Unlock()
	mine.end(mine.err)
}

func (s *shared) leave(mine *sharing) {
	s.mu.Lock()
	mine.joined--
	last := mine.joined == 0 && !s.how.Stay
	if last && s.now == mine && !mine.over() {
		s.now = nil
	}
	s.mu.Unlock()
	if last {
		mine.cancel()
		<-mine.done
	}
}
