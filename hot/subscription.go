package hot

import "github.com/reactivex/rxgo/v2"

// A subscription is one subscriber's queue. All of it is used under the
// Subject's lock, but for reading the queue. The queue is closed once, by the
// end of the Subject or by leaving.
type subscription struct {
	queue   chan rxgo.Item
	rule    Overflow
	index   int         // its place in Subject.subscribers; -1: not, or no longer, there
	unwatch func() bool // ends the watch over the subscriber's context; nil: none
}

// push puts an item into the queue without waiting. lost is what the rule
// gave up for it: nothing, the item itself, or the oldest one.
func (sub *subscription) push(item rxgo.Item) (lost rxgo.Item, ok bool) {
	for {
		select {
		case sub.queue <- item:
			return lost, true
		default:
		}
		if sub.rule == DropNewest {
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
func (sub *subscription) finish(err error) (lost []any) {
	if err != nil {
		sub.rule = DropOldest
		if gone, _ := sub.push(rxgo.Error(err)); gone.V != nil {
			lost = append(lost, gone.V)
		}
	}
	sub.close()
	return lost
}

func (sub *subscription) close() {
	sub.index = -1
	close(sub.queue)
	if sub.unwatch != nil {
		sub.unwatch()
	}
}
