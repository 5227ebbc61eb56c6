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
	var yield func(rxgo.Item) bool
	l := from(source, opts).subscribe(subscriber{ctx: ctx}.as(source, opts), func(item rxgo.Item) bool { return yield(item) })
	return func(each func(rxgo.Item) bool) {
		yield = each
		l.run()
	}
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
	o := unwrap(source)
	return o != nil && o.direct != nil
}

// Ours says that source is an observable of this package: its stages run on the
// goroutine that ranges over Items, and nothing is between.
func Ours(source rxgo.Observable) bool { return unwrap(source) != nil }

// Newest is Observe for a stream of states: if the reader is slow, the queue
// gives up its oldest item and keeps the newest, whatever the Subject's rule.
func Newest(ctx context.Context, source rxgo.Observable) <-chan rxgo.Item {
	return observe(ctx, source, true)
}

func observe(ctx context.Context, source rxgo.Observable, newest bool) <-chan rxgo.Item {
	o := from(source, nil)
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
	o := unwrap(source)
	if o == nil {
		return source
	}
	view := newObservable(func(who subscriber, to sink) func() {
		who.lossless = true
		return o.attach(who, to)
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
	if o := unwrap(source); o != nil && o.direct != nil {
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

// unwrap is the observable of this package that source is or wraps; nil: there is
// none.
func unwrap(source rxgo.Iterable) *observable {
	switch o := source.(type) {
	case interface{ inner() *observable }:
		return o.inner()
	case Wrapper:
		return unwrap(o.Unwrap())
	}
	return nil
}

func (o *observable) inner() *observable { return o }

// from makes any source one that ends with its subscriber's context. opts go to a
// source that is not of this package.
func from(source rxgo.Iterable, opts []rxgo.Option) *observable {
	if o := unwrap(source); o != nil {
		return o
	}
	return newObservable(func(who subscriber, to sink) func() {
		ctx, cancel := context.WithCancel(who.ctx)
		made := false
		defer unless(&made, cancel)
		who.ctx = ctx
		ch := source.Observe(join(opts, who.options())...)
		made = true
		return who.sequence(foreign(ctx, cancel, ch), cancel, nil, to)
	}, nil)
}

// attach subscribes a further source for the same loop, within the source's own
// options.
func (who subscriber) attach(source rxgo.Iterable, to sink) (leave func()) {
	o := from(source, nil)
	return o.attach(who.as(o, nil), to)
}

// as is the subscriber with the error strategy and the buffer of a source, unless
// it has chosen its own.
func (who subscriber) as(source rxgo.Iterable, opts []rxgo.Option) subscriber {
	if o := unwrap(source); o != nil {
		given := read(join(o.opts, opts))
		who.goesOn = who.goesOn || given.goesOn
		if who.buffer == 0 {
			who.buffer = given.buffer
		}
	}
	return who
}

// foreign is what a source of RxGo's emits, until that or the context ends.
func foreign(ctx context.Context, cancel func(), ch <-chan rxgo.Item) iter.Seq[rxgo.Item] {
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
