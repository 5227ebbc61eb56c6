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
const DefaultQueue = 64

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

// A subscription is one subscriber's queue. Its channel is closed, under the
// Subject's lock, by the end of the Subject or by leaving; never both.
type subscription struct {
	queue   chan rxgo.Item
	index   int // its place in Subject.subscribers; -1: not, or no longer, there
	unwatch func() bool
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
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return 0
	}
	var overflow []any
	for _, sub := range s.subscribers {
		lost, ok := sub.push(rxgo.Of(s.copyOf(v)), s.overflow)
		if ok {
			took++
		}
		if lost.V != nil {
			overflow = append(overflow, lost.V)
		}
	}
	s.keepFor(v)
	s.mu.Unlock()

	for _, lost := range overflow {
		s.drop(lost)
	}
	return took
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
	o.direct = func(who subscriber) <-chan rxgo.Item { return s.join(who).queue }
	return o
}

// feed subscribes and gives what comes to the one who ranges over it.
func (s *Subject) feed(who subscriber) feed {
	sub := s.join(who)
	return feed{
		lost:   s.drop,
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
	sub := &subscription{queue: make(chan rxgo.Item, size), index: -1}

	s.mu.Lock()
	var overflow []any
	for _, v := range s.kept {
		if s.keep != nil && !s.keep(v) {
			continue
		}
		if lost, _ := sub.push(rxgo.Of(s.copyOf(v)), s.overflow); lost.V != nil {
			overflow = append(overflow, lost.V)
		}
	}
	if s.ended {
		overflow = append(overflow, sub.finish(s.err)...)
	} else {
		sub.index = len(s.subscribers)
		s.subscribers = append(s.subscribers, sub)
		// Under the lock, so that leave finds unwatch in place.
		if who.ctx.Done() != nil {
			sub.unwatch = context.AfterFunc(who.ctx, func() { s.leave(sub) })
		}
	}
	s.mu.Unlock()

	for _, lost := range overflow {
		s.drop(lost)
	}
	return sub
}

// leave takes the subscriber out and drops what it left in its queue.
func (s *Subject) leave(sub *subscription) {
	s.mu.Lock()
	if sub.index < 0 {
		s.mu.Unlock()
		return
	}
	last := len(s.subscribers) - 1
	moved := s.subscribers[last]
	s.subscribers[sub.index], moved.index = moved, sub.index
	s.subscribers[last] = nil
	s.subscribers = s.subscribers[:last]
	sub.index = -1
	close(sub.queue)
	s.mu.Unlock()

	if sub.unwatch != nil {
		sub.unwatch()
	}
	for item := range sub.queue {
		s.drop(item.V)
	}
}

func (s *Subject) end(err error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended, s.err = true, err
	var overflow []any
	subscribers := s.subscribers
	s.subscribers = nil
	for _, sub := range subscribers {
		sub.index = -1
		overflow = append(overflow, sub.finish(err)...)
	}
	close(s.done)
	s.mu.Unlock()

	for _, sub := range subscribers {
		if sub.unwatch != nil {
			sub.unwatch()
		}
	}
	for _, lost := range overflow {
		s.drop(lost)
	}
}

// push puts an item into the queue without waiting. lost is what the rule
// gave up for it: nothing, the item itself, or the oldest one.
func (sub *subscription) push(item rxgo.Item, rule Overflow) (lost rxgo.Item, ok bool) {
	for {
		select {
		case sub.queue <- item:
			return lost, true
		default:
		}
		if rule == DropNewest {
			return item, false
		}
		// The reader may have made room meanwhile; publishers cannot take it,
		// they wait for the Subject's lock.
		select {
		case lost = <-sub.queue:
		default:
		}
	}
}

// finish closes the queue, behind the error if there is one: a full queue
// gives up its oldest item, because the end is not to be missed.
func (sub *subscription) finish(err error) (overflow []any) {
	if err != nil {
		if lost, _ := sub.push(rxgo.Error(err), DropOldest); lost.V != nil {
			overflow = append(overflow, lost.V)
		}
	}
	close(sub.queue)
	return overflow
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
		s.sweepAt = 2*len(s.kept) + 4
	}
	s.kept = append(s.kept, v)
}
