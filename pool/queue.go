package pool

import (
	"time"

	"github.com/callosum-go/rover/internal/fifo"
)

// A wait is one Get that waits. It is used again for another Get, so exactly
// one thing is sent on lent for each time it is in the queue, unless it is
// taken out.
type wait struct {
	lent   chan *Conn // nil: the pool is closed. It has room for one, so nobody waits to send
	since  time.Time  // zero: nobody listened
	holder holder     // who waits, nil if it keeps nothing for longer than it uses it
	place  fifo.Node[*wait]
}

// A queue has who waits, in order of arrival.
type queue struct{ fifo.List[*wait] }

func (q *queue) push(w *wait) {
	w.place.Thing = w
	q.Push(&w.place)
}

// pop takes out who has waited longest, nil if nobody waits.
func (q *queue) pop() *wait {
	first := q.First()
	if first == nil {
		return nil
	}
	q.Remove(first)
	return first.Thing
}

// remove takes w out; false: it is out already.
func (q *queue) remove(w *wait) bool { return q.Remove(&w.place) }
