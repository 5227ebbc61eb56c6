package pool

import (
	"container/list"
	"time"
)

// A wait is one Get that waits. It is used again for another Get, so exactly
// one thing is sent on lent for each time it is in the queue, unless it is
// taken out.
type wait struct {
	lent   chan *Conn    // nil: the pool is closed. It has room for one, so nobody waits to send
	since  time.Time     // zero: nobody listened
	holder holder        // who waits, nil if it keeps nothing for longer than it uses it
	place  *list.Element // in a queue; nil: in none
}

// A queue has who waits, in order of arrival. The zero value is ready.
type queue struct{ list.List }

func (q *queue) push(w *wait) { w.place = q.PushBack(w) }

// first is who has waited longest, nil if nobody waits.
func (q *queue) first() *wait {
	if q.Len() == 0 {
		return nil
	}
	return q.Front().Value.(*wait)
}

// pop takes out who has waited longest, nil if nobody waits.
func (q *queue) pop() *wait {
	w := q.first()
	if w != nil {
		q.remove(w)
	}
	return w
}

// remove takes w out; false: it is out already.
func (q *queue) remove(w *wait) bool {
	if w.place == nil {
		return false
	}
	q.Remove(w.place)
	w.place = nil
	return true
}
