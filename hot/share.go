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
	s := &shared{source: source, subject: subject}
	return newObservable(s.feed, opts)
}

type shared struct {
	source  rxgo.Observable
	subject []SubjectOption

	mu  sync.Mutex
	now *sharing // nil: nobody has subscribed
}

// A sharing is one subscription to the source and its subscribers.
type sharing struct {
	*Subject
	joined int // how many subscribe through it
	source feed
	cancel context.CancelFunc
	done   chan struct{}
}

func (s *shared) feed(who subscriber) feed {
	mine, first := s.enter(who)
	entered := false
	defer unless(&entered, func() { s.leave(mine) })
	if first {
		defer func() { go s.pump(mine) }()
	}
	feed := mine.feed(who)
	entered = true
	items, grow := feed.items, feed.grow
	feed.grow = func() { grow(); mine.growSource() }
	feed.items = func(yield func(rxgo.Item) bool) {
		defer s.leave(mine)
		for item := range items {
			if !yield(item) {
				return
			}
		}
	}
	return feed
}

// enter joins the sharing or makes one, subscribed to the source and not yet
// read: the first subscriber is to miss nothing.
func (s *shared) enter(who subscriber) (mine *sharing, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first = s.now == nil; first {
		mine := &sharing{Subject: NewSubject(s.subject...), done: make(chan struct{})}
		var run context.Context
		run, mine.cancel = context.WithCancel(context.Background())
		made := false
		defer unless(&made, mine.cancel)
		mine.source = subscriber{ctx: run}.to(s.source, nil)
		made = true
		s.now = mine
	}
	mine = s.now
	mine.joined++
	if mine.growsFor(who) {
		mine.growSource()
	}
	return mine, first
}

func (mine *sharing) growSource() {
	if mine.source.grow != nil {
		mine.source.grow()
	}
}

func (s *shared) pump(mine *sharing) {
	defer close(mine.done)
	var err error
	for item := range mine.source.items {
		if err = item.E; err != nil {
			break
		}
		mine.Publish(item.V)
		if mine.each != nil {
			mine.drop(item.V) // each subscriber has a copy of its own
		}
	}
	s.mu.Lock()
	if s.now == mine {
		s.now = nil // who comes now starts anew
	}
	s.mu.Unlock()
	mine.end(err)
}

func (s *shared) leave(mine *sharing) {
	s.mu.Lock()
	mine.joined--
	last := mine.joined == 0
	if last && s.now == mine {
		s.now = nil
	}
	s.mu.Unlock()
	if last {
		mine.cancel()
		<-mine.done
	}
}
