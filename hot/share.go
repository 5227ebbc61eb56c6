package hot

import (
	"context"
	"iter"
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

// A sharing is one subscription to the source and who listens to it.
type sharing struct {
	*Subject
	listeners int
	cancel    context.CancelFunc
	done      chan struct{}
}

func (s *shared) feed(who subscriber) feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.now
	if mine == nil {
		mine = &sharing{Subject: NewSubject(s.subject...), done: make(chan struct{})}
		s.now = mine
	}
	mine.listeners++
	feed := mine.feed(who)
	if mine.listeners == 1 {
		var run context.Context
		run, mine.cancel = context.WithCancel(context.Background())
		go s.pump(mine, Items(run, s.source))
	}
	items := feed.items
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

func (s *shared) pump(mine *sharing, items iter.Seq[rxgo.Item]) {
	defer close(mine.done)
	var err error
	for item := range items {
		if err = item.E; err != nil {
			break
		}
		mine.Publish(item.V)
		if mine.each != nil {
			mine.drop(item.V) // each listener has a copy of its own
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
	mine.listeners--
	last := mine.listeners == 0
	if last && s.now == mine {
		s.now = nil
	}
	s.mu.Unlock()
	if last {
		mine.cancel()
		<-mine.done
	}
}
