package hot

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/reactivex/rxgo/v2"
)

// DefaultQueue is how many items wait for one subscriber before its queue
// overflows, unless WithQueue or the subscriber's own
// rxgo.WithBufferedChannel says otherwise.
const DefaultQueue = 30

// A Subject is where a source publishes and subscribers listen: each item
// goes to everyone subscribed at that moment. Publishing never waits: every
// subscriber has a bounded queue of its own, and a queue that is full
// overflows by the Subject's rule, at no cost to the others.
//
// All methods are safe for many goroutines. Everyone sees the same order.
type Subject struct {
	settings
	done chan struct{} // closed with the end

	// mu makes publishing and subscribing one after the other, which is what
	// lets a newcomer's replay neither miss an item nor show it twice. Nothing
	// waits under it: sends into the queues do not block.
	mu          sync.Mutex
	subscribers []*subscription
	kept        []any // what a newcomer gets first, oldest first
	sweepAt     int   // the length of kept at which the dead are swept out
	ended       bool
	err         error
}

// NewSubject makes a Subject with nobody subscribed. It panics on an option
// that makes no sense, such as a queue of no items.
func NewSubject(opts ...SubjectOption) *Subject {
	s := &Subject{settings: settings{queue: DefaultQueue}, done: make(chan struct{})}
	for _, opt := range opts {
		opt(&s.settings)
	}
	if s.queue < 1 {
		panic(fmt.Sprintf("hot: a queue must hold at least 1 item, got %d", s.queue))
	}
	return s
}

// Publish gives v to every subscriber and returns how many queues took it.
// It never waits. After the end it does nothing and returns 0.
func (s *Subject) Publish(v any) (took int) {
	took, lost := s.publish(v)
	s.drop(lost...)
	return took
}

func (s *Subject) publish(v any) (took int, lost []any) {
	s.mu.Lock()
	defer s.mu.Unlock() // deferred: WithEach and WithReplay run user code here
	if s.ended {
		return 0, nil
	}
	for _, sub := range s.subscribers {
		gone, ok := sub.push(rxgo.Of(s.copyOf(v)))
		if ok {
			took++
		}
		if gone.V != nil {
			lost = append(lost, gone.V)
		}
	}
	s.keepFor(v)
	return took, lost
}

// Complete ends the Subject: subscribers get what their queues hold, then
// completion; newcomers complete at once. The second call does nothing.
func (s *Subject) Complete() { s.end(nil) }

// Fail ends the Subject with an error, which subscribers get as their last
// item (Item.E) after what their queues hold. RxGo stages stop at it; sources
// that go on after an error publish errors as values instead.
func (s *Subject) Fail(err error) { s.end(err) }

// Subscribers returns how many are subscribed now.
func (s *Subject) Subscribers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subscribers)
}

// Observable returns the view for subscribers. Subscribing is synchronous:
// what is published after Observe, ForEach and their like have returned is
// not missed.
func (s *Subject) Observable() rxgo.Observable {
	o := newObservable(s.feed, nil)
	o.direct = func(who subscriber) (<-chan rxgo.Item, func()) {
		sub := s.join(who)
		return sub.queue, func() { s.leave(sub) }
	}
	return o
}

// feed subscribes and gives what comes to the one who ranges over it.
func (s *Subject) feed(who subscriber) feed {
	sub := s.join(who)
	return feed{
		lost:   func(v any) { s.drop(v) },
		ended:  s.done,
		buffer: cap(sub.queue),
		items: func(yield func(rxgo.Item) bool) {
			defer s.leave(sub)
			for item := range sub.queue {
				if who.ctx.Err() != nil {
					s.drop(item.V) // the subscriber left before it got this one
				} else if !yield(item) {
					return
				}
			}
		},
	}
}

// join adds a subscriber, whose queue may start with what others got before.
func (s *Subject) join(who subscriber) *subscription {
	size := s.queue
	if who.buffer > 0 {
		size = who.buffer
	}
	rule := s.overflow
	if who.newest {
		rule = DropOldest
	}
	sub := &subscription{queue: make(chan rxgo.Item, size), rule: rule, index: -1}
	s.drop(s.add(sub, who.ctx)...)
	return sub
}

func (s *Subject) add(sub *subscription, ctx context.Context) (lost []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil { // nothing was meant for it
		sub.close()
		return nil
	}
	for _, v := range s.kept {
		if s.keep != nil && !s.keep(v) {
			continue
		}
		if gone, _ := sub.push(rxgo.Of(s.copyOf(v))); gone.V != nil {
			lost = append(lost, gone.V)
		}
	}
	if s.ended {
		return append(lost, sub.finish(s.err)...)
	}
	sub.index = len(s.subscribers)
	s.subscribers = append(s.subscribers, sub)
	// Under the lock, so that leave finds unwatch in place.
	if ctx.Done() != nil {
		sub.unwatch = context.AfterFunc(ctx, func() { s.leave(sub) })
	}
	return lost
}

// leave takes the subscriber out and drops what it left in its queue.
func (s *Subject) leave(sub *subscription) {
	s.remove(sub)
	for item := range sub.queue { // closed, by remove or by the end
		s.drop(item.V)
	}
}

func (s *Subject) remove(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub.index < 0 {
		return
	}
	last := len(s.subscribers) - 1
	moved := s.subscribers[last]
	s.subscribers[sub.index], moved.index = moved, sub.index
	s.subscribers[last] = nil
	s.subscribers = s.subscribers[:last]
	sub.close()
}

func (s *Subject) end(err error) { s.drop(s.finish(err)...) }

func (s *Subject) finish(err error) (lost []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ended, s.err = true, err
	for _, sub := range s.subscribers {
		lost = append(lost, sub.finish(err)...)
	}
	s.subscribers = nil
	close(s.done)
	return lost
}

// keepFor remembers v for newcomers. The dead are swept out when the list has
// doubled, so that a publication costs the same whatever is kept.
func (s *Subject) keepFor(v any) {
	if s.latest {
		s.kept = append(s.kept[:0], v)
	}
	if s.keep == nil {
		return
	}
	if len(s.kept) >= s.sweepAt {
		s.kept = slices.DeleteFunc(s.kept, func(v any) bool { return !s.keep(v) })
		s.sweepAt = 2*len(s.kept) + 1
	}
	s.kept = append(s.kept, v)
}
