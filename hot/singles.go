package hot

import (
	"context"
	"fmt"

	"github.com/reactivex/rxgo/v2"
)

// The operators that make one value of a whole stream. An error of the stream is
// all that comes of it.

// A single is an observable that emits one item.
type single struct{ *observable }

func (s single) Filter(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{s.filter(apply, opts)}
}

func (s single) Map(apply rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return single{s.mapped(apply, opts)}
}

// An optional is an observable that emits one item or none.
type optional struct{ *observable }

func (s optional) Map(apply rxgo.Func, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{s.mapped(apply, opts)}
}

// First, Find and the others that need not see the end leave with their item.

func (o *observable) First(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.take(1, opts)}
}

func (o *observable) Find(find rxgo.Predicate, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.filter(find, opts).take(1, nil)}
}

func (o *observable) FirstOrDefault(defaultValue any, opts ...rxgo.Option) rxgo.Single {
	return single{o.take(1, opts).DefaultIfEmpty(defaultValue).(*observable)}
}

func (o *observable) All(predicate rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return single{o.answer(opts, true, func(v any) bool { return !predicate(v) })}
}

func (o *observable) Contains(equal rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return single{o.answer(opts, false, equal)}
}

// answer emits whether no value decided otherwise.
func (o *observable) answer(opts []rxgo.Option, atTheEnd bool, decides rxgo.Predicate) *observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		s := values(who, to, func(v any) bool { return !decides(v) || to.last(!atTheEnd) })
		s.done = func() { to.last(atTheEnd) }
		return s
	})
}

func (o *observable) ElementAt(index uint, opts ...rxgo.Option) rxgo.Single {
	return single{o.stage(false, opts, func(who subscriber, to sink) sink {
		at := uint(0)
		s := values(who, to, func(v any) bool {
			at++
			return at <= index || to.last(v)
		})
		s.done = func() {
			if to.next(rxgo.Error(&rxgo.IllegalInputError{})) { // as RxGo has it
				to.done()
			}
		}
		return s
	})}
}

// reduced emits at the end what apply has made of all values; without any, what
// none returns, unless that is nil.
func (o *observable) reduced(opts []rxgo.Option, apply func(ctx context.Context, acc, v any) (any, error), none func() any) *observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		var acc any
		some := false
		if none != nil {
			acc, some = none(), true
		}
		s := values(who, to, func(v any) bool {
			next, err := apply(who.ctx, acc, v)
			if err != nil {
				return who.fail(to, err)
			}
			acc, some = next, true
			return true
		})
		s.done = func() {
			if !some || to.value(acc) {
				to.done()
			}
		}
		return s
	})
}

func (o *observable) Reduce(apply rxgo.Func2, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.reduced(opts, apply, nil)}
}

func (o *observable) Count(opts ...rxgo.Option) rxgo.Single {
	return single{o.reduced(opts, func(_ context.Context, n, _ any) (any, error) { return n.(int64) + 1, nil },
		func() any { return int64(0) })}
}

func (o *observable) last(opts []rxgo.Option, none func() any) *observable {
	return o.reduced(opts, func(_ context.Context, _, v any) (any, error) { return v, nil }, none)
}

func (o *observable) Last(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.last(opts, nil)}
}

func (o *observable) LastOrDefault(defaultValue any, opts ...rxgo.Option) rxgo.Single {
	return single{o.last(opts, func() any { return defaultValue })}
}

func (o *observable) Max(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.extreme(opts, func(a, b any) bool { return comparator(a, b) < 0 })}
}

func (o *observable) Min(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.extreme(opts, func(a, b any) bool { return comparator(a, b) > 0 })}
}

func (o *observable) extreme(opts []rxgo.Option, better func(than, v any) bool) *observable {
	return o.reduced(opts, func(_ context.Context, best, v any) (any, error) {
		if best == nil || better(best, v) {
			best = v
		}
		return best, nil
	}, nil)
}

func (o *observable) ToMap(keySelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return o.ToMapWithValueSelector(keySelector, func(_ context.Context, v any) (any, error) { return v, nil }, opts...)
}

func (o *observable) ToMapWithValueSelector(keySelector, valueSelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return single{o.reduced(opts, func(ctx context.Context, all, v any) (any, error) {
		key, err := keySelector(ctx, v)
		if err != nil {
			return nil, err
		}
		value, err := valueSelector(ctx, v)
		if err == nil {
			all.(map[any]any)[key] = value
		}
		return all, err
	}, func() any { return map[any]any{} })}
}

// unfit is the error for a value that an operator cannot add up.
func unfit(operator string, v any) error {
	return fmt.Errorf("%whot: %s got a %T", rxgo.IllegalInputError{}, operator, v)
}
