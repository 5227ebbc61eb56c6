package hot

import (
	"context"
	"fmt"
	"sync"

	"github.com/reactivex/rxgo/v2"
)

// DefaultQueue is how many items wait for one subscriber before its queue
// overflows, unless WithQueue or the subscriber's own
// rxgo.WithBufferedChannel says otherwise.
const DefaultQueue = 30

// A Subject emits what is published on it to everyone subscribed at the
// time. Publishing never waits: every subscriber has a queue of its own, and
// one that is full overflows by the Subject's rule, or grows, at no cost to the
// others.
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
	if s.overflowed == nil {
		s.overflowed = s.dropped
	}
	if s.queue < 1 {
		panic(fmt.Sprintf("hot: a queue must hold at least 1 item, got %d", s.queue))
	}
	return s
}

// Publish emits v to every subscriber and returns how many queues took it.
// It never waits. After the end it does nothing and returns 0.
func (s *Subject) Publish(v any) (took int) {
	var lost []any
	s.mu.Lock()
	defer s.unlock(&lost)
	return s.publish(v, &lost)
}

// Update runs f under the Subject's lock and publishes v, if f says so: nobody
// can subscribe between what f does and the publication. heard says whether
// anybody is subscribed. f must not call the Subject. After the end it still
// runs, and nothing is published.
func (s *Subject) Update(f func(heard bool) (v any, publish bool)) {
	var lost []any
	s.mu.Lock()
	defer s.unlock(&lost)
	if v, ok := f(len(s.subscribers) > 0); ok {
		s.publish(v, &lost)
	}
}

// unlock is deferred, because user code may panic under the lock: WithEach,
// WithReplay, WithFirst, Update. What the queues gave up before is reported even so.
func (s *Subject) unlock(lost *[]any) {
	s.mu.Unlock()
	if len(*lost) > 0 {
		s.overflow(*lost...)
	}
}

// publish adds to lost what queues gave up. It is used under the lock.
func (s *Subject) publish(v any, lost *[]any) (took int) {
	if s.ended {
		return 0
	}
	for _, sub := range s.subscribers {
		gone, ok := sub.push(rxgo.Of(s.copyOf(v)))
		if ok {
			took++
		}
		if gone.V != nil {
			*lost = append(*lost, gone.V)
		}
	}
	s.keepFor(v)
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
	o.owner = s.owner
	if s.begin != nil {
		return o // a value is asked as late as can be whether it is over
	}
	o.direct = func(who subscriber) (<-chan rxgo.Item, func()) {
		if s.growsFor(who) {
			return nil, nil // the reader of such a queue has to refill it
		}
		sub := s.join(who)
		return sub.queue, func() { s.leave(sub) }
	}
	return o
}

// feed subscribes and emits to the one who ranges over it.
func (s *Subject) feed(who subscriber) feed {
	sub := s.join(who)
	ended := s.done
	if s.growsFor(who) {
		ended = nil
	}
	hand := s.handover()
	return feed{
		lost:       s.dropped,
		overflowed: s.overflowed,
		ended:      ended,
		buffer:     cap(sub.queue),
		handover:   hand,
		grow:       func() { s.grow(sub) },
		items: func(yield func(rxgo.Item) bool) {
			defer s.leave(sub)
			for item := range sub.queue {
				if sub.behind.Load() {
					s.refill(sub)
				}
				if who.ctx.Err() != nil {
					s.drop(item.V) // the subscriber left before it got this one
				} else if hand != nil && !hand.begin(item) {
					continue // it was over
				} else if !yield(item) {
					return
				}
			}
		},
	}
}

// growsFor says whether the queue grows. A reader of the newest needs none of
// the rest.
func (s *Subject) growsFor(who subscriber) bool { return (s.growing || who.lossless) && !who.newest }

// join adds a subscriber, whose queue may start with what others got before.
func (s *Subject) join(who subscriber) *subscription {
	size := s.queue
	if who.buffer > 0 {
		size = who.buffer
	}
	rule := s.rule
	if who.newest {
		rule = DropOldest
	}
	queue := make(chan rxgo.Item, size)
	sub := &subscription{queue: queue, in: queue, rule: rule, grows: s.growsFor(who), index: -1}
	joined := false
	defer unless(&joined, func() { s.leave(sub) }) // nobody will read what is there
	s.add(sub, who.ctx)
	joined = true
	return sub
}

func (s *Subject) add(sub *subscription, ctx context.Context) {
	var lost []any
	s.mu.Lock()
	defer s.unlock(&lost)
	if ctx.Err() != nil { // nothing was meant for it
		sub.close()
		return
	}
	if s.first != nil {
		s.showFirst(sub)
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
		lost = append(lost, sub.finish(s.err)...)
	} else {
		sub.index = len(s.subscribers)
		s.subscribers = append(s.subscribers, sub)
	}
	// Under the lock, so that close finds unwatch in place.
	if !sub.closed && ctx.Done() != nil {
		sub.unwatch = context.AfterFunc(ctx, func() { s.leave(sub) })
	}
}

// showFirst fills a new queue as far as it has room, but for the error that
// ended the Subject.
func (s *Subject) showFirst(sub *subscription) {
	room := cap(sub.queue)
	if s.err != nil {
		room--
	}
	if room == 0 && !sub.grows {
		return
	}
	for v := range s.first() {
		sub.push(rxgo.Of(s.copyOf(v)))
		if len(sub.queue) >= room && !sub.grows {
			return
		}
	}
}

func (s *Subject) grow(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.grows = true
}

// refill is for the reader of a queue that grows, once it has emptied it.
func (s *Subject) refill(sub *subscription) {
	if len(sub.queue) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.refill()
}

// leave takes the subscriber out and drops what it left in its queue.
func (s *Subject) leave(sub *subscription) {
	rest := s.remove(sub)
	for item := range sub.queue { // closed, by remove or by the end
		s.drop(item.V)
	}
	for _, item := range rest {
		s.drop(item.V)
	}
}

func (s *Subject) remove(sub *subscription) (rest []rxgo.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub.index >= 0 {
		last := len(s.subscribers) - 1
		moved := s.subscribers[last]
		s.subscribers[sub.index], moved.index = moved, sub.index
		s.subscribers[last] = nil
		s.subscribers = s.subscribers[:last]
	}
	return sub.close()
}

func (s *Subject) end(err error) {
	var lost []any
	s.mu.Lock()
	defer s.unlock(&lost)
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	for _, sub := range s.subscribers {
		lost = append(lost, sub.finish(err)...)
	}
	s.subscribers = nil
	close(s.done)
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
	s.kept = append(s.kept, v)
	if len(s.kept) <= s.sweepAt {
		return
	}
	alive := 0
	for i, v := range s.kept {
		if s.keep(v) {
			s.kept[alive], s.kept[i] = v, s.kept[alive] // both stay: keep may panic
			alive++
		}
	}
	clear(s.kept[alive:])
	s.kept = s.kept[:alive]
	s.sweepAt = 2*alive + 1
}
