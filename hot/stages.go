package hot

import (
	"iter"

	"github.com/reactivex/rxgo/v2"
)

// The fused stages: each wraps the sequence of the one before it, so that a
// chain is a nest of loops on one goroutine. Options are remembered and read
// when somebody subscribes; of these stages none has a use for others than a
// context, a buffer and an error strategy, but for Filter and Map, which run
// as RxGo's own when they are given any.

// sequence is what a stage makes of the values of one subscription. A stage
// returns false to end the subscription.
type sequence func(who subscriber, yield func(rxgo.Item) bool) (next func(v any) bool)

// stage adds a stage that works on values; errors pass it by and, unless the
// subscriber's error strategy says otherwise, end it. takes says that the
// stage makes new values of what it gets, which counts as taking them.
func (o *observable) stage(takes bool, s sequence, opts []rxgo.Option) *observable {
	staged := newObservable(func(who subscriber) feed {
		feed := o.subscribe(who)
		feed.items = s.over(who, feed.items)
		if takes {
			feed.lost = nil
		}
		return feed
	}, join(o.opts, opts))
	staged.owner = o.owner
	return staged
}

func (s sequence) over(who subscriber, items iter.Seq[rxgo.Item]) iter.Seq[rxgo.Item] {
	return func(yield func(rxgo.Item) bool) {
		next := s(who, yield)
		for item := range items {
			if item.Error() {
				if !yield(item) || !who.goesOn {
					return
				}
			} else if !next(item.V) {
				return
			}
		}
	}
}

func (o *observable) Filter(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.filter(apply, opts)
}

func (o *observable) filter(apply rxgo.Predicate, opts []rxgo.Option) *observable {
	if len(opts) > 0 {
		return o.native(with(rxgo.Observable.Filter, apply), opts)
	}
	return o.stage(false, func(_ subscriber, yield func(rxgo.Item) bool) func(any) bool {
		return func(v any) bool { return !apply(v) || yield(rxgo.Of(v)) }
	}, nil)
}

func (o *observable) Map(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.mapped(apply, opts)
}

func (o *observable) mapped(apply rxgo.Func, opts []rxgo.Option) *observable {
	if len(opts) > 0 {
		return o.native(with(rxgo.Observable.Map, apply), opts)
	}
	return o.stage(true, func(who subscriber, yield func(rxgo.Item) bool) func(any) bool {
		return func(v any) bool {
			mapped, err := apply(who.ctx, v)
			if err != nil {
				return yield(rxgo.Error(err)) && who.goesOn
			}
			return yield(rxgo.Of(mapped))
		}
	}, nil)
}

// FlatMap, as in RxGo, observes one inner source after the other. They may go
// on after the outer one has ended, so what comes of them waits for its reader.
func (o *observable) FlatMap(apply rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return newObservable(func(who subscriber) feed {
		outer := o.subscribe(who)
		return feed{
			buffer: outer.buffer,
			grow:   outer.grow,
			items: func(yield func(rxgo.Item) bool) {
				for item := range outer.items {
					for inner := range who.to(apply(item), who.options()).items {
						if !yield(inner) || inner.Error() && !who.goesOn {
							return
						}
					}
				}
			},
		}
	}, join(o.opts, opts))
}

// Take ends with the nth item, not with the one after it.
func (o *observable) Take(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.take(nth, opts)
}

func (o *observable) take(nth uint, opts []rxgo.Option) *observable {
	if nth == 0 {
		return newObservable(func(subscriber) feed { return feed{items: func(func(rxgo.Item) bool) {}} }, o.opts)
	}
	return o.stage(false, func(_ subscriber, yield func(rxgo.Item) bool) func(any) bool {
		left := nth
		return func(v any) bool {
			left--
			return yield(rxgo.Of(v)) && left > 0
		}
	}, opts)
}

// TakeUntil ends with the first value that apply returns true for.
func (o *observable) TakeUntil(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, func(_ subscriber, yield func(rxgo.Item) bool) func(any) bool {
		return func(v any) bool { return yield(rxgo.Of(v)) && !apply(v) }
	}, opts)
}

// TakeWhile ends before the first value that apply returns false for.
func (o *observable) TakeWhile(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, func(_ subscriber, yield func(rxgo.Item) bool) func(any) bool {
		return func(v any) bool { return apply(v) && yield(rxgo.Of(v)) }
	}, opts)
}

func (o *observable) Skip(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, func(_ subscriber, yield func(rxgo.Item) bool) func(any) bool {
		left := nth
		return func(v any) bool {
			if left > 0 {
				left--
				return true
			}
			return yield(rxgo.Of(v))
		}
	}, opts)
}

func (o *observable) SkipWhile(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, func(_ subscriber, yield func(rxgo.Item) bool) func(any) bool {
		skipping := true
		return func(v any) bool {
			skipping = skipping && apply(v)
			return skipping || yield(rxgo.Of(v))
		}
	}, opts)
}
