package pool

import "time"

// A wait is one Get that waits. It is used again for another Get, so exactly
// one thing is sent on lent for each time it is in the queue, unless it is
// taken out.
type wait struct {
	lent       chan *Conn // nil: the pool is closed. It has room for one, so nobody waits to send
	since      time.Time  // zero: nobody listened
	prev, next *wait
	queued     bool
}

// A queue has who waits, in order of arrival.
type queue struct {
	first, last *wait
	n           int
}

func (q *queue) push(w *wait) {
	w.prev, w.next, w.queued = q.last, nil, true
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

// pop takes out who has waited longest, nil if nobody waits.
func (q *queue) pop() *wait {
	w := q.first
	if w != nil {
		q.remove(w)
	}
	return w
}

// remove takes w out; false: it is out already.
func (q *queue) remove(w *wait) bool {
	if !w.queued {
		return false
	}
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	q.n--
	return true
}
