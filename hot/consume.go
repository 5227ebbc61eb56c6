package hot

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// The ends of a chain that run callbacks, or that wait for all of it.

// consume subscribes and runs the callbacks on a goroutine of its own, which
// ends with the source, the context, or when next returns false. The channel
// is closed after the last callback.
func (o *observable) consume(opts []rxgo.Option, next func(rxgo.Item) bool, completed func()) rxgo.Disposed {
	items := o.subscribe(read(join(o.opts, opts))).items
	done := make(chan struct{})
	go func() {
		defer close(done)
		for item := range items {
			if !next(item) {
				break
			}
		}
		if completed != nil {
			completed()
		}
	}()
	return done
}

func (o *observable) ForEach(next rxgo.NextFunc, fail rxgo.ErrFunc, completed rxgo.CompletedFunc, opts ...rxgo.Option) rxgo.Disposed {
	return o.consume(opts, func(item rxgo.Item) bool {
		if item.Error() {
			fail(item.E)
		} else {
			next(item.V)
		}
		return true
	}, completed)
}

func (o *observable) DoOnNext(next rxgo.NextFunc, opts ...rxgo.Option) rxgo.Disposed {
	return o.consume(opts, func(item rxgo.Item) bool {
		if item.Error() {
			return false
		}
		next(item.V)
		return true
	}, nil)
}

func (o *observable) DoOnError(fail rxgo.ErrFunc, opts ...rxgo.Option) rxgo.Disposed {
	return o.consume(opts, func(item rxgo.Item) bool {
		if item.Error() {
			fail(item.E)
		}
		return !item.Error()
	}, nil)
}

func (o *observable) DoOnCompleted(completed rxgo.CompletedFunc, opts ...rxgo.Option) rxgo.Disposed {
	return o.consume(opts, func(item rxgo.Item) bool { return !item.Error() }, completed)
}

func (o *observable) Run(opts ...rxgo.Option) rxgo.Disposed {
	return o.consume(opts, func(rxgo.Item) bool { return true }, nil)
}

// Send is Observe into a channel of the caller's, which it closes at the end.
func (o *observable) Send(output chan<- rxgo.Item, opts ...rxgo.Option) {
	who := read(join(o.opts, opts))
	feed := o.subscribe(who)
	go func() {
		defer close(output)
		feed.pass(who.ctx, output)
	}()
}

// Connect has nothing to do: the source is hot. RxGo's own would subscribe
// and never read.
func (o *observable) Connect(ctx context.Context) (context.Context, rxgo.Disposable) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, rxgo.Disposable(cancel)
}

func (o *observable) ToSlice(initialCapacity int, opts ...rxgo.Option) (all []any, err error) {
	all = make([]any, 0, initialCapacity)
	who := read(join(o.opts, opts))
	for item := range o.subscribe(who).items {
		if !item.Error() {
			all = append(all, item.V)
		} else if err = item.E; !who.goesOn {
			break
		}
	}
	return all, err
}

// Error waits for the first error, the end (nil), or the context's.
func (o *observable) Error(opts ...rxgo.Option) error {
	who := read(join(o.opts, opts))
	for item := range o.subscribe(who).items {
		if item.Error() {
			return item.E
		}
	}
	return who.ctx.Err()
}

// Errors waits for the end and returns all errors, or only the context's.
func (o *observable) Errors(opts ...rxgo.Option) []error {
	who := read(join(o.opts, opts))
	all := []error{}
	for item := range o.subscribe(who).items {
		if item.Error() {
			all = append(all, item.E)
		}
	}
	if err := who.ctx.Err(); err != nil {
		return []error{err}
	}
	return all
}
