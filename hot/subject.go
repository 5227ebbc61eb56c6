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
	subscribers []*subscription // in the order in which they came; nil: it has left
	holes       int             // those that have left
	kept        []any           // what a newcomer gets first, oldest first
	sweepAt     int             // the length of kept at which the dead are swept out
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
	if s.recent < 0 {
		panic(fmt.Sprintf("hot: recent must be at least 1 value, got %d", s.recent))
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
	if v, ok := f(len(s.subscribers) > s.holes); ok {
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
		if sub == nil {
			continue
		}
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
	return len(s.subscribers) - s.holes
}

// Observable returns the view for subscribers. Subscribing is synchronous:
// what is published after Observe, ForEach and their like have returned is
// not missed.
func (s *Subject) Observable() rxgo.Observable {
	o := newObservable(s.attach, nil)
	o.owner = s.owner
	if s.begin != nil {
		return o // a value is asked as late as can be whether it is over
	}
	o.direct = func(who subscriber) (<-chan rxgo.Item, func()) {
		if s.growsFor(who) {
			return nil, nil
		}
		return s.observe(who)
	}
	return o
}

// attach subscribes who's loop.
func (s *Subject) attach(who subscriber, to sink) (leave func()) {
	return s.seat(who, to, nil).leave
}

// seat is attach, with a function that is called once when the place is left.
func (s *Subject) seat(who subscriber, to sink, left func()) *place {
	l := who.loop
	p := &place{loop: l, to: to, hand: s.handover(),
		size: s.size(who), rule: s.ruleFor(who), states: who.newest, grows: s.growsFor(who)}
	p.drop = func(item rxgo.Item) { s.drop(item.V) }
	l.perishes = l.perishes || p.hand != nil
	if !l.shared {
		l.buffer, l.lost, l.overflowed = p.size, s.dropped, s.overflowed
		if !p.grows {
			l.ended = s.done
		}
	}
	sub := &subscription{line: p, index: -1}
	p.quit = func() {
		s.remove(sub)
		if left != nil {
			left()
		}
	}
	joined := false
	defer unless(&joined, func() {
		left = nil
		p.leave()
	})
	p.join()
	s.add(sub, who.ctx, p.size, p.grows)
	joined = true
	return p
}

// observe subscribes a channel. leave returns when nothing of it is left.
func (s *Subject) observe(who subscriber) (queue <-chan rxgo.Item, leave func()) {
	d := &direct{queue: make(chan rxgo.Item, s.size(who)), rule: s.ruleFor(who)}
	sub := &subscription{line: d, index: -1}
	leave = func() {
		s.mu.Lock()
		s.unseat(sub)
		d.close()
		s.mu.Unlock()
		for item := range d.queue {
			s.drop(item.V)
		}
	}
	joined := false
	defer unless(&joined, leave) // nobody will read what is there
	s.add(sub, who.ctx, cap(d.queue), false)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case d.closed:
	case who.ctx.Err() != nil:
		s.unseat(sub)
		d.close()
	case who.ctx.Done() != nil: // under the lock, so that close finds unwatch in place
		d.unwatch = context.AfterFunc(who.ctx, leave)
	}
	joined = true
	return d.queue, leave
}

func (s *Subject) size(who subscriber) int {
	size := s.queue
	if who.buffer > 0 {
		size = who.buffer
	}
	return max(size, s.recent)
}

func (s *Subject) ruleFor(who subscriber) Overflow {
	if who.newest {
		return DropOldest
	}
	return s.rule
}

// growsFor says whether the queue grows. A reader of the newest needs none of
// the rest.
func (s *Subject) growsFor(who subscriber) bool { return (s.growing || who.lossless) && !who.newest }

// add adds a subscriber, whose queue may start with what others got before.
func (s *Subject) add(sub *subscription, ctx context.Context, size int, grows bool) {
	var lost []any
	s.mu.Lock()
	defer s.unlock(&lost)
	if ctx.Err() != nil { // nothing was meant for it
		return
	}
	if s.first != nil {
		s.showFirst(sub, size, grows)
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
		return
	}
	sub.index = len(s.subscribers)
	s.subscribers = append(s.subscribers, sub)
}

// showFirst fills a new queue as far as it has room, but for the error that
// ended the Subject.
func (s *Subject) showFirst(sub *subscription, room int, grows bool) {
	if s.err != nil {
		room--
	}
	if room == 0 && !grows {
		return
	}
	shown := 0
	for v := range s.first() {
		sub.push(rxgo.Of(s.copyOf(v)))
		if shown++; shown == room && !grows {
			return
		}
	}
}

func (s *Subject) remove(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unseat(sub)
}

// unseat takes a subscriber out, under the lock. The others keep their order; holes
// are closed when half of the list is holes.
func (s *Subject) unseat(sub *subscription) {
	if sub.index < 0 {
		return
	}
	s.subscribers[sub.index], sub.index = nil, -1
	if s.holes++; 2*s.holes < len(s.subscribers) {
		return
	}
	kept := s.subscribers[:0]
	for _, sub := range s.subscribers {
		if sub != nil {
			sub.index = len(kept)
			kept = append(kept, sub)
		}
	}
	clear(s.subscribers[len(kept):])
	s.subscribers, s.holes = kept, 0
}

// over says whether the Subject has ended.
func (s *Subject) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// full says whether somebody's queue has no room.
func (s *Subject) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subscribers {
		if sub != nil && sub.full() {
			return true
		}
	}
	return false
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
		if sub != nil {
			sub.index = -1
			lost = append(lost, sub.finish(err)...)
		}
	}
	s.subscribers, s.holes = nil, 0
	close(s.done)
}

// keepFor remembers v for newcomers. The dead are swept out when the list has
// doubled, so that a publication costs the same whatever is kept.
func (s *Subject) keepFor(v any) {
	if s.recent > 0 {
		if len(s.kept) == s.recent {
			s.kept = slices.Delete(s.kept, 0, 1)
		}
		s.kept = append(s.kept, v)
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
