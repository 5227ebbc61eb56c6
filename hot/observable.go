package hot

import (
	"context"
	"iter"

	"github.com/reactivex/rxgo/v2"
)

// Create builds an observable from a function that subscribes.
//
// subscribe is called once a subscription, within Observe, ForEach and their
// like and before they return, with a context that ends with the
// subscriber's. What it returns is ranged over exactly once, on one goroutine; it ends
// the loop when the source or the context ends, and a loop that breaks off means
// that the subscriber has left: release what belongs to the subscription then.
//
// lost, which may be nil, gets each value that was yielded and that the
// subscriber did not take: it left, or nobody read any more. opts are defaults
// for each subscription, as in rxgo.Defer.
//
// All operators on the result are fused: a chain of them runs on one goroutine a
// subscription. Beside other sources in one chain (see Merge) the sequence has a
// goroutine of its own. A context, a buffer and an error strategy hold for the
// whole subscription, wherever in the chain they are given; the last one counts.
func Create(subscribe func(ctx context.Context) iter.Seq[rxgo.Item], lost func(v any), opts ...rxgo.Option) rxgo.Observable {
	return newObservable(func(who subscriber, to sink) func() {
		ctx, cancel := context.WithCancel(who.ctx)
		made := false
		defer unless(&made, cancel)
		items := subscribe(ctx)
		made = true
		return who.sequence(items, cancel, lost, to)
	}, opts)
}

// FromSeq is a cold source: it ranges over values for each subscription. A
// sequence that waits must end by itself; it is not asked for more once its
// subscriber has left. Events of package rover is the way back.
func FromSeq[T any](values iter.Seq[T], opts ...rxgo.Option) rxgo.Observable {
	return Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		return func(yield func(rxgo.Item) bool) {
			for v := range values {
				if ctx.Err() != nil || !yield(rxgo.Of(v)) {
					return
				}
			}
		}
	}, nil, opts...)
}

// A sink takes what one subscription emits, on the goroutine of its loop. next
// returns false when nothing more is wanted: its source is left then. done is the
// end, if the source came to it; not after a next that returned false.
type sink struct {
	next func(rxgo.Item) bool
	done func()
}

// An observable is an rxgo.Observable that subscribes synchronously.
type observable struct {
	// attach subscribes who's loop. Nothing is emitted before attach has returned,
	// nor after leave.
	attach func(who subscriber, to sink) (leave func())
	// direct is set where the subscription itself is a channel. leave returns
	// when nothing of it is left behind. A nil queue: not for this subscriber.
	direct func(subscriber) (queue <-chan rxgo.Item, leave func())
	opts   []rxgo.Option
	owner  any // of the Subject behind it; nil: there is none
}

var _ rxgo.Observable = (*observable)(nil)

func newObservable(attach func(subscriber, sink) func(), opts []rxgo.Option) *observable {
	return &observable{attach: attach, opts: opts[:len(opts):len(opts)]}
}

// subscribe makes a loop and attaches it. What comes waits until it runs.
func (o *observable) subscribe(who subscriber, next func(rxgo.Item) bool) *loop {
	l := newLoop(who.ctx)
	who.loop = l
	made := false
	defer unless(&made, l.close) // user code has panicked
	o.attach(who, sink{
		next: func(item rxgo.Item) bool {
			l.stop = l.stop || !next(item)
			return !l.stop
		},
		done: func() { l.stop = true },
	})
	l.watch()
	made = true
	return l
}

func (o *observable) Observe(opts ...rxgo.Option) <-chan rxgo.Item {
	return o.observe(read(join(o.opts, opts)))
}

func (o *observable) observe(who subscriber) <-chan rxgo.Item {
	if o.direct != nil {
		if queue, _ := o.direct(who); queue != nil {
			return queue
		}
	}
	var out chan rxgo.Item
	var l *loop
	l = o.subscribe(who, func(item rxgo.Item) bool {
		return l.send(out, item, func() { l.late(out, item) })
	})
	out = make(chan rxgo.Item, l.room(who))
	go func() {
		defer close(out)
		l.run()
		if who.ctx.Err() == nil {
			return
		}
		for { // who left will not read what is in the channel either
			select {
			case item := <-out:
				l.lose(item)
			default:
				return
			}
		}
	}()
	return out
}

// room is how many items a channel may hold.
func (r *reader) room(who subscriber) int {
	if r.perishes {
		return 0
	}
	return max(who.buffer, r.buffer)
}

// send moves an item into a channel. late is called if there is no room for it
// after the source's end. False: the subscriber's context has ended.
func (l *loop) send(out chan<- rxgo.Item, item rxgo.Item, late func()) bool {
	select {
	case out <- item:
		return true
	default:
	}
	ended := l.ended
	if late == nil {
		ended = nil
	}
	select {
	case out <- item:
		l.hand.waited()
	case <-l.hand.over():
		l.hand.withdraw()
	case <-ended: // and nobody has read so far
		late()
	case <-l.ctx.Done():
		l.lose(item)
		return false
	}
	return true
}

// late gives up what there is no room for, or, for an error, the oldest item:
// the end is not to be missed.
func (l *loop) late(out chan rxgo.Item, item rxgo.Item) {
	if item.Error() && cap(out) == 0 {
		select {
		case out <- item:
		case <-l.ctx.Done():
		}
		return
	}
	lost := item
	if item.Error() {
		select {
		case lost = <-out:
		default: // the reader has made room
			lost = rxgo.Item{}
		}
		out <- item
	}
	if l.hand != nil {
		lost.V = l.hand.value
	}
	if l.overflowed != nil && lost.V != nil {
		l.overflowed(lost.V)
	}
}

func (r *reader) lose(item rxgo.Item) {
	if r.lost != nil && item.V != nil {
		r.lost(item.V)
	}
}

// unless is deferred: it undoes what was begun, if user code has panicked before
// it was done.
func unless(done *bool, undo func()) {
	if !*done {
		undo()
	}
}
