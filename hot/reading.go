package hot

import (
	"context"
	"iter"
	"runtime"
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
)

// The ways to read a source from Go code. doc.go says when to use which.

// Items subscribes to any source, at once, and returns what it emits, errors
// as Item.E, until the source or ctx ends. Range over it exactly once; breaking
// off unsubscribes. opts go to the source; a context among them is replaced
// by ctx.
func Items(ctx context.Context, source rxgo.Observable, opts ...rxgo.Option) iter.Seq[rxgo.Item] {
	return subscriber{ctx: ctx}.to(source, opts).items
}

// Observe is source.Observe with a channel that is sure to close when ctx
// ends, whatever the source makes of contexts. To leave before the source has
// ended, end ctx.
func Observe(ctx context.Context, source rxgo.Observable) <-chan rxgo.Item {
	return observe(ctx, source, false)
}

// Direct says that source is a Subject's own view: what newcomers get first is
// in the queue as soon as Newest has returned, and nobody's code runs between.
func Direct(source rxgo.Observable) bool {
	o, ok := known(source)
	return ok && o.direct != nil
}

// Ours says that source is an observable of this package: its stages run on the
// goroutine that ranges over Items, and nothing is between.
func Ours(source rxgo.Observable) bool {
	_, ok := known(source)
	return ok
}

// Newest is Observe for a stream of states: if the reader is slow, the queue
// gives up its oldest item and keeps the newest, whatever the Subject's rule.
func Newest(ctx context.Context, source rxgo.Observable) <-chan rxgo.Item {
	return observe(ctx, source, true)
}

func observe(ctx context.Context, source rxgo.Observable, newest bool) <-chan rxgo.Item {
	o := ours(source)
	who := read(o.opts)
	who.ctx, who.newest = ctx, newest
	return o.observe(who)
}

// Lossless is a view of source for subscribers that must miss nothing: their
// queues grow instead of overflowing, whatever the Subject's rule (see
// WithGrowingQueue), behind the stages of this package and behind Share too. It
// changes nothing for a source that is not of this package, for what Create
// subscribes to, and for Newest and Latest.
func Lossless(source rxgo.Observable) rxgo.Observable {
	o, ok := known(source)
	if !ok {
		return source
	}
	view := newObservable(func(who subscriber) feed {
		who.lossless = true
		return o.subscribe(who)
	}, o.opts)
	if o.direct != nil {
		view.direct = func(who subscriber) (<-chan rxgo.Item, func()) {
			who.lossless = true
			return o.direct(who)
		}
	}
	return view
}

// Latest subscribes to source, at once, and returns a function that returns
// the latest item so far; false: there was none yet. A value that was published
// is seen by the very next call if source is a Subject's own view, however many
// came before it; what its queue gave up for that counts as overflow. Behind a
// stage, or if values perish, it is seen as soon as that has run. Values end with
// the source or ctx, and the last one stays. leave unsubscribes and returns when
// nothing of the subscription is left behind. latest is for one goroutine at a
// time.
func Latest(ctx context.Context, source rxgo.Observable) (latest func() (rxgo.Item, bool), leave func()) {
	if o, ok := known(source); ok && o.direct != nil {
		queue, leave := o.direct(subscriber{ctx: ctx, newest: true})
		return newest(queue), leave
	}
	ctx, cancel := context.WithCancel(ctx)
	var held atomic.Pointer[rxgo.Item]
	items := Items(ctx, source)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for item := range items {
			held.Store(&item)
		}
	}()
	return func() (rxgo.Item, bool) {
			if item := held.Load(); item != nil {
				return *item, true
			}
			return rxgo.Item{}, false
		}, func() {
			cancel()
			<-done
		}
}

// newest empties a queue at each call and keeps what came last.
func newest(queue <-chan rxgo.Item) func() (rxgo.Item, bool) {
	var held rxgo.Item
	have := false
	return func() (rxgo.Item, bool) {
		for {
			select {
			case item, ok := <-queue:
				if !ok {
					queue = nil
					continue
				}
				held, have = item, true
			default:
				return held, have
			}
		}
	}
}

// A Wrapper is an observable with more to it, such as the embedded one of a struct
// of one's own. What it wraps is subscribed as if it had been given itself.
type Wrapper interface{ Unwrap() rxgo.Observable }

// known is source, or what it wraps, if that is of this package.
func known(source rxgo.Observable) (*observable, bool) {
	if w, ok := source.(Wrapper); ok {
		source = w.Unwrap()
	}
	o, ok := source.(*observable)
	return o, ok
}

// ours makes any source one that ends with its subscriber's context.
func ours(source rxgo.Observable) *observable {
	if o, ok := known(source); ok {
		return o
	}
	return newObservable(func(who subscriber) feed { return who.to(source, nil) }, nil)
}

// to subscribes to any source, within its own options and these, for the
// subscriber's context and as its queue is to be.
func (who subscriber) to(source rxgo.Observable, opts []rxgo.Option) feed {
	if o, ok := known(source); ok {
		given := read(join(o.opts, opts))
		given.ctx, given.newest, given.lossless = who.ctx, who.newest, who.lossless
		return o.subscribe(given)
	}
	ctx, cancel := context.WithCancel(who.ctx)
	made := false
	defer unless(&made, cancel)
	ch := source.Observe(join(opts, []rxgo.Option{rxgo.WithContext(ctx)})...)
	made = true
	return feed{items: func(yield func(rxgo.Item) bool) {
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
	}}
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
