package hot

import (
	"context"
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
)

// native runs an operator as RxGo's own, and gives it what RxGo lacks: it
// subscribes synchronously, and it is unsubscribed when it has ended. Only Filter
// and Map with a pool need that: they work on several values at once, in no order.
func (o *observable) native(run func(source rxgo.Observable, opts []rxgo.Option) rxgo.Iterable, opts []rxgo.Option) *observable {
	return newObservable(func(who subscriber, to sink) func() {
		ctx, cancel := context.WithCancel(who.ctx)
		made := false
		defer unless(&made, cancel)
		inner := who
		inner.ctx = ctx
		var next chan<- rxgo.Item
		var source *loop
		source = o.subscribe(inner, func(item rxgo.Item) bool { return source.send(next, item, nil) && (who.goesOn || !item.Error()) })
		out := run(rxgo.Defer([]rxgo.Producer{func(_ context.Context, to chan<- rxgo.Item) {
			next = to
			source.run()
		}}), join(opts, inner.options())).Observe()
		made = true
		if l := who.loop; !l.shared {
			l.buffer, l.ended = source.buffer, source.ended
			l.inner = append(l.inner, source)
		}
		return who.sequence(foreign(ctx, cancel, out), cancel, nil, to)
	}, join(o.opts, opts))
}

// pooled says whether options ask for a pool. RxGo's options are opaque: with a
// pool, a Reduce of one value calls its function once more, to gather.
func pooled(opts []rxgo.Option) bool {
	if len(opts) == 0 {
		return false
	}
	var calls atomic.Int32
	probe := rxgo.Just(1)().Reduce(func(context.Context, any, any) (any, error) {
		calls.Add(1)
		return 1, nil
	}, join(opts, []rxgo.Option{rxgo.WithContext(context.Background())})...)
	for range probe.Observe() {
	}
	return calls.Load() > 1
}
