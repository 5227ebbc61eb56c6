package hot

import (
	"context"
	"iter"
	"runtime"

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
// lost, which may be nil, is told each value that was yielded and that the
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

// Items subscribes to any source, at once, and gives what it emits, errors as
// Item.E, until the source or ctx ends. Range over it exactly once; breaking
// off unsubscribes. opts go to the source; a context among them is replaced
// by ctx.
func Items(ctx context.Context, source rxgo.Observable, opts ...rxgo.Option) iter.Seq[rxgo.Item] {
	if o, ok := source.(*observable); ok {
		who := read(join(o.opts, opts))
		who.ctx = ctx
		return o.subscribe(who).items
	}
	ctx, cancel := context.WithCancel(ctx)
	ch := source.Observe(join(opts, []rxgo.Option{rxgo.WithContext(ctx)})...)
	return func(yield func(rxgo.Item) bool) {
		closed := false
		defer func() {
			cancel()
			if !closed {
				release(ch)
			}
		}()
		for {
			select { // a source may well ignore the context
			case <-ctx.Done():
				return
			case item, ok := <-ch:
				if closed = !ok; closed || !yield(item) {
					return
				}
			}
		}
	}
}

// release frees a source of RxGo's that is blocked in a bare send, so that it
// sees that its context has ended. It does not wait for the source, which may
// never close its channel or never look at a context.
func release(ch <-chan rxgo.Item) {
	for idle, left := 0, 1000; idle < 10 && left > 0; left-- {
		select {
		case _, ok := <-ch:
			if !ok {
				return
			}
		default:
			idle++
			runtime.Gosched()
		}
	}
}

// A feed is one subscription, made and not yet ranged over.
type feed struct {
	items iter.Seq[rxgo.Item]
	// lost is told what was yielded and not taken. Nil: nobody cares.
	lost func(v any)
	// ended is closed when the source has ended; what is left in the feed then
	// must not wait for a reader any more. Nil: the source waits for its
	// readers, as a cold one may.
	ended <-chan struct{}
	// buffer is how much room a channel needs to hold all that may be left.
	buffer int
}

// An observable is an rxgo.Observable that subscribes synchronously.
//
// The embedded one is a view of it built by rxgo.Defer. It serves the one
// operator that is not overridden, BackOffRetry.
type observable struct {
	rxgo.Observable
	subscribe func(subscriber) feed
	// direct is set where the subscription itself is a channel. leave returns
	// when nothing of it is left behind.
	direct func(subscriber) (queue <-chan rxgo.Item, leave func())
	opts   []rxgo.Option
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
		queue, _ := o.direct(who)
		return queue
	}
	feed := o.subscribe(who)
	out := make(chan rxgo.Item, max(who.buffer, feed.buffer))
	go func() {
		defer close(out)
		feed.send(who.ctx, out, func(item rxgo.Item) {
			if item.Error() { // the end is not to be missed
				select {
				case oldest := <-out:
					feed.lose(oldest)
				default:
				}
				out <- item
			} else {
				feed.lose(item)
			}
		})
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

// send moves the feed into a channel until the feed or the context ends. late
// is what comes of an item for which there is no room after the source's end.
func (f feed) send(ctx context.Context, out chan<- rxgo.Item, late func(rxgo.Item)) {
	for item := range f.items {
		select {
		case out <- item:
			continue
		default:
		}
		select {
		case out <- item:
		case <-f.ended: // and nobody has read so far
			late(item)
		case <-ctx.Done():
			f.lose(item)
			return
		}
	}
}

// pass is send to a stage that is known to read to the end.
func (f feed) pass(ctx context.Context, stage chan<- rxgo.Item) {
	f.ended = nil
	f.send(ctx, stage, nil)
}

func (f feed) lose(item rxgo.Item) {
	if f.lost != nil && item.V != nil {
		f.lost(item.V)
	}
}
