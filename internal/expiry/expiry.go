// Package expiry ends things that have had their time. All things of a queue
// have the same time to live, so the first one in is the first one due: one
// timer serves them all, and adding and removing cost a few nanoseconds. A
// timer, or a context, for each thing costs several times that.
package expiry

import (
	"sync"
	"time"

	"github.com/callosum-go/rover/internal/fifo"
)

// A Node is a thing's place in a Queue: one queue, at one time.
type Node[T any] struct {
	place fifo.Node[*Node[T]]
	thing T
	due   time.Time
}

// A Queue calls a function for each thing whose time is over. It is safe for
// many goroutines.
type Queue[T any] struct {
	ttl    time.Duration
	expire func(T)

	mu      sync.Mutex
	nodes   fifo.List[*Node[T]] // the first is the first due
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
	n.place.Thing, n.thing, n.due = n, thing, now.Add(q.ttl)
	q.nodes.Push(&n.place)
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
	if !q.nodes.ToEnd(&n.place) {
		return false
	}
	n.due = now.Add(q.ttl)
	return true
}

// Remove takes the node out. True: the thing will not expire. False: it was
// not in the queue, has expired or is about to; only one of Remove, expire
// and Close gets a thing.
func (q *Queue[T]) Remove(n *Node[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.nodes.Remove(&n.place)
}

// All returns what is in the queue, the first due first.
func (q *Queue[T]) All() (all []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all()
}

func (q *Queue[T]) all() (all []T) {
	for n := q.nodes.First(); n != nil; n = n.Next() {
		all = append(all, n.Thing.thing)
	}
	return all
}

// Close empties the queue and returns what was in it, the first due first.
// When it returns, expire is not running and will not be called again.
func (q *Queue[T]) Close() (left []T) {
	q.mu.Lock()
	q.closed = true
	left = q.all()
	for n := q.nodes.First(); n != nil; n = q.nodes.First() {
		q.nodes.Remove(n)
	}
	if q.armed && q.timer.Stop() {
		q.armed = false
		q.running.Done()
	}
	q.mu.Unlock()
	q.running.Wait()
	return left
}

// arm sets the timer for the first thing, unless it is set already: for that
// one, or for an earlier one that was removed meanwhile. Then it rings in
// vain once, which is cheaper than setting it anew with every removal.
func (q *Queue[T]) arm() {
	first := q.nodes.First()
	if q.armed || first == nil {
		return
	}
	q.armed = true
	q.running.Add(1)
	wait := time.Until(first.Thing.due)
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
		first := q.nodes.First()
		if first == nil || time.Now().Before(first.Thing.due) {
			q.armed = false
			q.arm()
			q.mu.Unlock()
			return
		}
		q.nodes.Remove(first)
		q.mu.Unlock()
		q.running.Go(func() { q.expire(first.Thing.thing) })
	}
}
