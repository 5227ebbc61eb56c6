// Package expiry ends things that have had their time. All things of a queue
// have the same time to live, so the first one in is the first one due: one
// timer serves them all, and adding and removing cost a few nanoseconds. A
// timer, or a context, for each thing costs several times that.
package expiry

import (
	"sync"
	"time"
)

// A Node is a thing's place in a Queue: one queue, at one time. It is part of
// the thing, so that adding and removing cost no allocation.
type Node[T any] struct {
	thing      T
	due        time.Time
	prev, next *Node[T]
	listed     bool
}

// A Queue calls a function for each thing whose time is over. It is safe for
// many goroutines.
type Queue[T any] struct {
	ttl    time.Duration
	expire func(T)

	mu      sync.Mutex
	first   *Node[T] // the first due
	last    *Node[T]
	timer   *time.Timer
	armed   bool
	closed  bool
	running sync.WaitGroup // an armed timer, until its function has returned
}

// New makes a queue whose things live for ttl; expire is called for each one
// whose time is over, on a goroutine of its own: one that takes long must not
// give the others more time.
func New[T any](ttl time.Duration, expire func(T)) *Queue[T] {
	return &Queue[T]{ttl: ttl, expire: expire}
}

// Add gives the thing its time, from now on. False: the queue is closed.
func (q *Queue[T]) Add(n *Node[T], thing T, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	n.thing = thing
	q.push(n, now)
	if !q.armed {
		q.arm()
	}
	return true
}

// Renew gives a thing that is in the queue its whole time once more, from now
// on. False: it is not, has expired or is about to.
func (q *Queue[T]) Renew(n *Node[T], now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	listed := q.remove(n)
	if listed {
		q.push(n, now)
	}
	return listed
}

// Remove takes the node out. True: the thing will not expire. False: it was
// not in the queue, has expired or is about to; only one of Remove, expire
// and Close gets a thing.
func (q *Queue[T]) Remove(n *Node[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.remove(n)
}

// All returns what is in the queue, the first due first.
func (q *Queue[T]) All() (all []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all()
}

func (q *Queue[T]) all() (all []T) {
	for n := q.first; n != nil; n = n.next {
		all = append(all, n.thing)
	}
	return all
}

// Close empties the queue and returns what was in it, the first due first.
// When it returns, expire is not running and will not be called again.
func (q *Queue[T]) Close() (left []T) {
	q.mu.Lock()
	q.closed = true
	left = q.all()
	for q.first != nil {
		q.remove(q.first)
	}
	if q.armed && q.timer.Stop() {
		q.armed = false
		q.running.Done()
	}
	q.mu.Unlock()
	q.running.Wait()
	return left
}

// push puts a node that is not listed at the end.
func (q *Queue[T]) push(n *Node[T], now time.Time) {
	n.due, n.prev, n.next, n.listed = now.Add(q.ttl), q.last, nil, true
	if q.last == nil {
		q.first = n
	} else {
		q.last.next = n
	}
	q.last = n
}

// remove takes a node out; false: it was out already.
func (q *Queue[T]) remove(n *Node[T]) bool {
	if !n.listed {
		return false
	}
	if n.prev == nil {
		q.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		q.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next, n.listed = nil, nil, false
	return true
}

// arm sets the timer for the first thing, unless it is set already: for that
// one, or for an earlier one that was removed meanwhile. Then it rings in
// vain once, which is cheaper than setting it anew with every removal.
func (q *Queue[T]) arm() {
	if q.armed || q.first == nil {
		return
	}
	q.armed = true
	q.running.Add(1)
	wait := time.Until(q.first.due)
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, q.ring)
	} else {
		q.timer.Reset(wait)
	}
}

func (q *Queue[T]) ring() {
	defer q.running.Done()
	for {
		q.mu.Lock()
		first := q.first
		if first == nil || time.Now().Before(first.due) {
			q.armed = false
			q.arm()
			q.mu.Unlock()
			return
		}
		q.remove(first)
		q.mu.Unlock()
		q.running.Go(func() { q.expire(first.thing) })
	}
}
