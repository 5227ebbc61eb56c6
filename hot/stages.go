package hot

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// The stages that look at one value after the other. A chain of them is a nest of
// functions on the goroutine of its loop. Options are read when somebody
// subscribes; of them all, a stage has a use for a context, a buffer and an error
// strategy only.

// stage adds a stage. takes says that it makes new values of what it gets, which
// counts as taking them.
func (o *observable) stage(takes bool, opts []rxgo.Option, over func(who subscriber, to sink) sink) *observable {
	staged := newObservable(func(who subscriber, to sink) func() {
		leave := o.attach(who, over(who, to))
		if takes {
			who.loop.lost = nil
		}
		return leave
	}, join(o.opts, opts))
	staged.owner = o.owner
	return staged
}

// values is the sink of a stage that works on values. Errors pass it by and, unless
// the subscriber's error strategy says otherwise, end it.
func values(who subscriber, to sink, next func(v any) bool) sink {
	return sink{done: to.done, next: func(item rxgo.Item) bool {
		if item.Error() {
			return who.fail(to, item.E)
		}
		return next(item.V)
	}}
}

// fail emits an error, which ends the stage unless the error strategy goes on.
func (who subscriber) fail(to sink, err error) bool {
	if !to.next(rxgo.Error(err)) {
		return false
	}
	if !who.goesOn {
		to.done()
	}
	return who.goesOn
}

func (to sink) value(v any) bool { return to.next(rxgo.Of(v)) }

// last emits a value and ends.
func (to sink) last(v any) bool {
	if to.value(v) {
		to.done()
	}
	return false
}

// nothing ends at once.
func nothing(who subscriber, to sink) (leave func()) {
	return who.loop.after(0, to.done)
}

func (o *observable) Filter(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.filter(apply, opts)
}

func (o *observable) filter(apply rxgo.Predicate, opts []rxgo.Option) *observable {
	if pooled(opts) {
		return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Filter(apply, opts...) }, opts)
	}
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		return values(who, to, func(v any) bool { return !apply(v) || to.value(v) })
	})
}

func (o *observable) Map(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.mapped(apply, opts)
}

func (o *observable) mapped(apply rxgo.Func, opts []rxgo.Option) *observable {
	if pooled(opts) {
		return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Map(apply, opts...) }, opts)
	}
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		return values(who, to, func(v any) bool {
			mapped, err := apply(who.ctx, v)
			if err != nil {
				return who.fail(to, err)
			}
			return to.value(mapped)
		})
	})
}

func (o *observable) Marshal(marshaller rxgo.Marshaller, opts ...rxgo.Option) rxgo.Observable {
	return o.mapped(func(_ context.Context, v any) (any, error) { return marshaller(v) }, opts)
}

func (o *observable) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() any, opts ...rxgo.Option) rxgo.Observable {
	return o.mapped(func(_ context.Context, v any) (any, error) {
		made := factory()
		return made, unmarshaller(v.([]byte), made)
	}, opts)
}

func (o *observable) Scan(apply rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		var current any
		return values(who, to, func(v any) bool {
			next, err := apply(who.ctx, current, v)
			if err != nil {
				return who.fail(to, err)
			}
			current = next
			return to.value(next)
		})
	})
}

// Take ends with the nth item, not with the one after it.
func (o *observable) Take(nth uint, opts ...rxgo.Option) rxgo.Observable { return o.take(nth, opts) }

func (o *observable) take(nth uint, opts []rxgo.Option) *observable {
	if nth == 0 {
		return newObservable(nothing, join(o.opts, opts))
	}
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		left := nth
		return values(who, to, func(v any) bool {
			if left--; left > 0 {
				return to.value(v)
			}
			return to.last(v)
		})
	})
}

// TakeUntil ends with the first value that apply returns true for.
func (o *observable) TakeUntil(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		return values(who, to, func(v any) bool {
			if !to.value(v) {
				return false
			}
			over := apply(v)
			if over {
				to.done()
			}
			return !over
		})
	})
}

// TakeWhile ends before the first value that apply returns false for.
func (o *observable) TakeWhile(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		return values(who, to, func(v any) bool {
			if apply(v) {
				return to.value(v)
			}
			to.done()
			return false
		})
	})
}

// TakeLast emits the last n values at the end.
func (o *observable) TakeLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	if nth == 0 {
		return newObservable(nothing, join(o.opts, opts))
	}
	return o.waiting(opts, func(who subscriber, to sink) sink {
		var all []any
		s := values(who, to, func(v any) bool {
			if len(all) == int(nth) {
				all = all[1:]
			}
			all = append(all, v)
			return true
		})
		s.done = func() { to.all(all) }
		return s
	})
}

// all emits values and ends.
func (to sink) all(values []any) {
	for _, v := range values {
		if !to.value(v) {
			return
		}
	}
	to.done()
}

// waiting is stage for one that emits several values when its source ends: they
// wait for their reader.
func (o *observable) waiting(opts []rxgo.Option, over func(who subscriber, to sink) sink) *observable {
	stage := o.stage(true, opts, over)
	attach := stage.attach
	stage.attach = func(who subscriber, to sink) func() {
		leave := attach(who, to)
		who.loop.ended = nil
		return leave
	}
	return stage
}

func (o *observable) Skip(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		left := nth
		return values(who, to, func(v any) bool {
			if left == 0 {
				return to.value(v)
			}
			left--
			return true
		})
	})
}

func (o *observable) SkipWhile(apply rxgo.Predicate, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		skipping := true
		return values(who, to, func(v any) bool {
			skipping = skipping && apply(v)
			return skipping || to.value(v)
		})
	})
}

// SkipLast emits all but the last n values. RxGo's own is Take(n).
func (o *observable) SkipLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(nth > 0, opts, func(who subscriber, to sink) sink {
		var held []any
		return values(who, to, func(v any) bool {
			if held = append(held, v); len(held) <= int(nth) {
				return true
			}
			v, held = held[0], held[1:]
			return to.value(v)
		})
	})
}

func (o *observable) IgnoreElements(opts ...rxgo.Option) rxgo.Observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		return values(who, to, func(any) bool { return true })
	})
}

func (o *observable) DefaultIfEmpty(defaultValue any, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		empty := true
		s := values(who, to, func(v any) bool {
			empty = false
			return to.value(v)
		})
		s.done = func() {
			if !empty || to.value(defaultValue) {
				to.done()
			}
		}
		return s
	})
}

// Distinct remembers the key of every value.
func (o *observable) Distinct(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.keyed(apply, opts, func() func(key any) bool {
		seen := map[any]struct{}{}
		return func(key any) bool {
			_, known := seen[key]
			seen[key] = struct{}{}
			return !known
		}
	})
}

func (o *observable) DistinctUntilChanged(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.keyed(apply, opts, func() func(key any) bool {
		var before any
		first := true
		return func(key any) bool {
			changed := first || key != before
			before, first = key, false
			return changed
		}
	})
}

// keyed emits the values whose keys are new.
func (o *observable) keyed(apply rxgo.Func, opts []rxgo.Option, memory func() (isNew func(key any) bool)) *observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		isNew := memory()
		return values(who, to, func(v any) bool {
			key, err := apply(who.ctx, v)
			if err != nil {
				return who.fail(to, err)
			}
			return !isNew(key) || to.value(v)
		})
	})
}
