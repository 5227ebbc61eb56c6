package hot

import "github.com/reactivex/rxgo/v2"

// A subscription is one subscriber of a Subject. All of it is used under the
// Subject's lock.
type subscription struct {
	line
	index int // in Subject.subscribers; -1: not, or no longer, there
}

// A line is where a subscriber's items wait.
type line interface {
	// push puts an item behind the others without waiting. lost is what the rule
	// gave up for it: nothing, the item itself, or the oldest one.
	push(item rxgo.Item) (lost rxgo.Item, ok bool)
	// finish ends the line, behind what it holds and the error if there is one.
	finish(err error) (lost []any)
	full() bool
}

// direct is the line of a subscriber that reads its queue by itself: a channel.
type direct struct {
	queue   chan rxgo.Item
	rule    Overflow
	unwatch func() bool // ends the watch over the subscriber's context; nil: none
	closed  bool
}

func (d *direct) push(item rxgo.Item) (lost rxgo.Item, ok bool) {
	select {
	case d.queue <- item:
		return lost, true
	default:
	}
	if d.rule == DropNewest {
		return item, false
	}
	for {
		// The reader may make room meanwhile; publishers cannot take it, they
		// wait for the Subject's lock.
		select {
		case lost = <-d.queue:
		default:
		}
		select {
		case d.queue <- item:
			return lost, true
		default:
		}
	}
}

// finish gives up the oldest item of a full queue for the error: the end is not to
// be missed.
func (d *direct) finish(err error) (lost []any) {
	if err != nil {
		d.rule = DropOldest
		if gone, _ := d.push(rxgo.Error(err)); gone.V != nil {
			lost = append(lost, gone.V)
		}
	}
	d.close()
	return lost
}

func (d *direct) full() bool { return len(d.queue) == cap(d.queue) }

func (d *direct) close() {
	if d.closed {
		return
	}
	d.closed = true
	close(d.queue)
	if d.unwatch != nil {
		d.unwatch()
	}
}
