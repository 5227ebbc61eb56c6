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
	l := o.subscribe(read(join(o.opts, opts)), next)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run()
		if completed != nil {
			completed()
		}
	}()
	return done
}

// wait subscribes and runs the callback on the caller's goroutine.
func (o *observable) wait(opts []rxgo.Option, next func(who subscriber, item rxgo.Item) bool) (ended error) {
	who := read(join(o.opts, opts))
	stopped := false
	o.subscribe(who, func(item rxgo.Item) bool {
		stopped = !next(who, item)
		return !stopped
	}).run()
	if stopped {
		return nil
	}
	return who.ctx.Err()
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
	var l *loop
	l = o.subscribe(read(join(o.opts, opts)), func(item rxgo.Item) bool { return l.send(output, item, nil) })
	go func() {
		defer close(output)
		l.run()
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
	_ = o.wait(opts, func(who subscriber, item rxgo.Item) bool {
		if item.Error() {
			err = item.E
			return who.goesOn
		}
		all = append(all, item.V)
		return true
	})
	return all, err
}

// Get waits for the first item. Without one it returns an empty item, and the
// context's error if that was the reason.
func (o *observable) Get(opts ...rxgo.Option) (found rxgo.Item, err error) {
	err = o.wait(opts, func(_ subscriber, item rxgo.Item) bool {
		found = item
		return false
	})
	return found, err
}

// Error waits for the first error, the end (nil), or the context's.
func (o *observable) Error(opts ...rxgo.Option) (err error) {
	ended := o.wait(opts, func(_ subscriber, item rxgo.Item) bool {
		err = item.E
		return err == nil
	})
	if err == nil {
		err = ended
	}
	return err
}

// Errors waits for the end and returns all errors, or only the context's.
func (o *observable) Errors(opts ...rxgo.Option) []error {
	all := []error{}
	err := o.wait(opts, func(_ subscriber, item rxgo.Item) bool {
		if item.Error() {
			all = append(all, item.E)
		}
		return true
	})
	if err != nil {
		return []error{err}
	}
	return all
}
