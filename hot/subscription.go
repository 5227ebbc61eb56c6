package hot

import (
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
)

// A subscription is one subscriber's queue. All of it is used under the
// Subject's lock, but for reading queue and behind. The queue is closed once,
// by the end of the Subject or by leaving.
type subscription struct {
	queue   chan rxgo.Item
	in      chan<- rxgo.Item // the queue, or nil while there is a backlog
	rule    Overflow
	index   int         // its place in Subject.subscribers; -1: not, or no longer, there
	unwatch func() bool // ends the watch over the subscriber's context; nil: none
	closed  bool

	// A queue that grows keeps what finds it full in a backlog, and its reader
	// asks for that whenever it has emptied the queue.
	grows   bool
	backlog []rxgo.Item
	behind  atomic.Bool // there is a backlog
	ending  bool        // the queue closes behind the backlog
}

// push puts an item into the queue without waiting. lost is what the rule
// gave up for it: nothing, the item itself, or the oldest one.
func (sub *subscription) push(item rxgo.Item) (lost rxgo.Item, ok bool) {
	select {
	case sub.in <- item:
		return lost, true
	default:
		return sub.overflow(item)
	}
}

func (sub *subscription) overflow(item rxgo.Item) (lost rxgo.Item, ok bool) {
	if sub.grows {
		sub.wait(item)
		return lost, true
	}
	if sub.rule == DropNewest {
		return item, false
	}
	for {
		// The reader may make room meanwhile; publishers cannot take it, they
		// wait for the Subject's lock.
		select {
		case lost = <-sub.queue:
		default:
		}
		select {
		case sub.queue <- item:
			return lost, true
		default:
		}
	}
}

// wait puts an item into the backlog.
func (sub *subscription) wait(item rxgo.Item) {
	sub.backlog, sub.in = append(sub.backlog, item), nil
	sub.behind.Store(true)
	sub.refill() // the reader may have emptied the queue before it could see that
}

// refill moves into the queue what it has room for. The memory of a backlog
// goes with its last item.
func (sub *subscription) refill() {
	for len(sub.backlog) > 0 {
		select {
		case sub.queue <- sub.backlog[0]:
			sub.backlog[0] = rxgo.Item{}
			sub.backlog = sub.backlog[1:]
			continue
		default:
		}
		return
	}
	sub.backlog, sub.in = nil, sub.queue
	sub.behind.Store(false)
	if sub.ending {
		sub.close()
	}
}

// finish closes the queue, behind what it holds and the error if there is
// one: a full queue gives up its oldest item, because the end is not to be
// missed.
func (sub *subscription) finish(err error) (lost []any) {
	if err != nil {
		sub.rule = DropOldest
		if gone, _ := sub.push(rxgo.Error(err)); gone.V != nil {
			lost = append(lost, gone.V)
		}
	}
	sub.index, sub.ending = -1, true
	sub.refill()
	return lost
}

// close closes the queue and returns the backlog that did not get into it.
func (sub *subscription) close() (rest []rxgo.Item) {
	if sub.closed {
		return nil
	}
	sub.index, sub.closed = -1, true
	close(sub.queue)
	if sub.unwatch != nil {
		sub.unwatch()
	}
	rest, sub.backlog = sub.backlog, nil
	sub.behind.Store(false)
	return rest
}
