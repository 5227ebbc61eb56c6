package hot

import (
	"context"
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
)

// Observe is source.Observe with a channel that is sure to close when ctx
// ends, whatever the source makes of contexts. To leave before the source has
// ended, end ctx.
func Observe(ctx context.Context, source rxgo.Observable) <-chan rxgo.Item {
	return ours(source).observe(subscriber{ctx: ctx})
}

// Newest is Observe for a stream of states: if the reader is slow, the queue
// gives up its oldest item and keeps the newest, whatever the Subject's rule.
func Newest(ctx context.Context, source rxgo.Observable) <-chan rxgo.Item {
	return ours(source).observe(subscriber{ctx: ctx, newest: true})
}

// ours makes any source one that ends with its subscriber's context.
func ours(source rxgo.Observable) *observable {
	if o, ok := source.(*observable); ok {
		return o
	}
	return newObservable(func(who subscriber) feed { return feed{items: Items(who.ctx, source)} }, nil)
}

// Latest subscribes to source, at once, and returns a function that gives the
// latest item so far; false: there was none yet. A value that was published is
// seen by the very next call if source is a Subject's own view, however many
// came before it; what its queue gave up for that counts as overflow. Behind a
// stage it is seen as soon as that has run. Values end with the source or
// ctx, and the last one stays. leave unsubscribes and returns when nothing of
// the subscription is left behind. latest is for one goroutine at a time.
func Latest(ctx context.Context, source rxgo.Observable) (latest func() (rxgo.Item, bool), leave func()) {
	if o, ok := source.(*observable); ok && o.direct != nil {
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
