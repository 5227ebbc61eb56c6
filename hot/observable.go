package hot

import (
	"context"
	"iter"

	"github.com/reactivex/rxgo/v2"
)

// Create builds an observable from a function that subscribes.
//
// subscribe is called once a subscription, within Observe, ForEach and their
// like and before they return, with the subscriber's context. What it returns
// is ranged over exactly once, on one goroutine; it ends the loop when the
// source or the context ends, and a loop that breaks off means that the
// subscriber has left: release what belongs to the subscription then.
//
// lost, which may be nil, gets each value that was yielded and that the
// subscriber did not take: it left, or nobody read any more. opts are defaults
// for each subscription, as in rxgo.Defer.
//
// Filter, Map, Take and the other common stages on the result are fused: a
// chain of them runs on one goroutine a subscription. A Filter or Map with
// options runs as RxGo's own, for it may be WithPool. A context, a buffer and
// an error strategy hold for the whole subscription, wherever in the chain
// they are given; the last one counts.
func Create(subscribe func(ctx context.Context) iter.Seq[rxgo.Item], lost func(v any), opts ...rxgo.Option) rxgo.Observable {
	return newObservable(func(who subscriber) feed {
		return feed{items: subscribe(who.ctx), lost: lost}
	}, opts)
}

// A feed is one subscription, made and not yet ranged over.
type feed struct {
	items iter.Seq[rxgo.Item]
	// lost gets what was yielded and not taken. Nil: nobody cares.
	lost func(v any)
	// overflowed gets what was left at the source's end and found no room, also
	// where a stage took it and lost is nil. Nil: nobody cares.
	overflowed func(v any)
	// ended is closed when the source has ended; what is left in the feed then
	// must not wait for a reader any more. Nil: the source waits for its
	// readers, as a cold one may.
	ended <-chan struct{}
	// buffer is how much room a channel needs for what may be left.
	buffer int
	// handover follows what perishes; it must not wait in a buffer. Nil: nothing
	// does.
	handover *handover
	// grow makes the source's queue one that grows from now on. Nil: there is none.
	grow func()
}

// An observable is an rxgo.Observable that subscribes synchronously.
//
// The embedded one is a view of it built by rxgo.Defer. It serves the one
// operator that is not overridden, BackOffRetry.
type observable struct {
	rxgo.Observable
	subscribe func(subscriber) feed
	// direct is set where the subscription itself is a channel. leave returns
	// when nothing of it is left behind. A nil queue: not for this subscriber.
	direct func(subscriber) (queue <-chan rxgo.Item, leave func())
	opts   []rxgo.Option
	owner  any // of the Subject behind it; nil: there is none
}

func newObservable(subscribe func(subscriber) feed, opts []rxgo.Option) *observable {
	opts = opts[:len(opts):len(opts)]
	view := func(ctx context.Context, next chan<- rxgo.Item) {
		subscribe(subscriber{ctx: ctx, buffer: cap(next)}).pass(ctx, next)
	}
	return &observable{
		Observable: rxgo.Defer([]rxgo.Producer{view}, opts...),
		subscribe:  subscribe,
		opts:       opts,
	}
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
	feed := o.subscribe(who)
	out := make(chan rxgo.Item, feed.room(who))
	go func() {
		defer close(out)
		feed.send(who.ctx, out, func(item rxgo.Item) { feed.late(who.ctx, out, item) })
		if who.ctx.Err() == nil {
			return
		}
		for { // who left will not read what is in the channel either
			select {
			case item := <-out:
				feed.lose(item)
			default:
				return
			}
		}
	}()
	return out
}

// room is how many items a channel may hold.
func (f feed) room(who subscriber) int {
	if f.handover != nil {
		return 0
	}
	return max(who.buffer, f.buffer)
}

// send moves the feed into a channel until the feed or the context ends. late
// gets each item for which there is no room after the source's end.
func (f feed) send(ctx context.Context, out chan<- rxgo.Item, late func(rxgo.Item)) {
	for item := range f.items {
		select {
		case out <- item:
			continue
		default:
		}
		select {
		case out <- item:
			f.handover.waited()
		case <-f.handover.over():
			f.handover.withdraw()
		case <-f.ended: // and nobody has read so far
			late(item)
		case <-ctx.Done():
			f.lose(item)
			return
		}
	}
}

// late gives up what there is no room for, or, for an error, the oldest item:
// the end is not to be missed.
func (f feed) late(ctx context.Context, out chan rxgo.Item, item rxgo.Item) {
	if item.Error() && cap(out) == 0 {
		select {
		case out <- item:
		case <-ctx.Done():
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
	if f.handover != nil {
		lost.V = f.handover.value
	}
	if f.overflowed != nil && lost.V != nil {
		f.overflowed(lost.V)
	}
}

// pass is send to a stage that is known to read to the end.
func (f feed) pass(ctx context.Context, stage chan<- rxgo.Item) {
	f.ended = nil
	f.send(ctx, stage, nil)
}

// unless is deferred: it undoes what was begun, if user code has panicked before
// it was done.
func unless(done *bool, undo func()) {
	if !*done {
		undo()
	}
}

func (f feed) lose(item rxgo.Item) {
	if f.lost != nil && item.V != nil {
		f.lost(item.V)
	}
}
