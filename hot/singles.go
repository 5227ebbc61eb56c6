package hot

import "github.com/reactivex/rxgo/v2"

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

// Get waits for the item. Without one it gives an empty item, and the
// context's error if that was the reason.
func (o *observable) Get(opts ...rxgo.Option) (found rxgo.Item, err error) {
	who := read(join(o.opts, opts))
	for found = range o.subscribe(who).items {
		return found, nil
	}
	return rxgo.Item{}, who.ctx.Err()
}

// First and Find end with their item, and tell what comes after it as lost.

func (o *observable) First(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.take(1, opts)}
}

func (o *observable) Find(find rxgo.Predicate, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.filter(find, opts).take(1, nil)}
}

// The rest are RxGo's own (see native).

func (o *observable) All(predicate rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.All(predicate, opts...) }, opts)}
}

func (o *observable) AverageFloat32(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageFloat32(opts...) }, opts)}
}

func (o *observable) AverageFloat64(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageFloat64(opts...) }, opts)}
}

func (o *observable) AverageInt(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageInt(opts...) }, opts)}
}

func (o *observable) AverageInt8(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageInt8(opts...) }, opts)}
}

func (o *observable) AverageInt16(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageInt16(opts...) }, opts)}
}

func (o *observable) AverageInt32(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageInt32(opts...) }, opts)}
}

func (o *observable) AverageInt64(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.AverageInt64(opts...) }, opts)}
}

func (o *observable) Contains(equal rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Contains(equal, opts...) }, opts)}
}

func (o *observable) Count(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Count(opts...) }, opts)}
}

func (o *observable) ElementAt(index uint, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.ElementAt(index, opts...) }, opts)}
}

func (o *observable) FirstOrDefault(defaultValue any, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.FirstOrDefault(defaultValue, opts...)
	}, opts)}
}

func (o *observable) Last(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Last(opts...) }, opts)}
}

func (o *observable) LastOrDefault(defaultValue any, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.LastOrDefault(defaultValue, opts...)
	}, opts)}
}

func (o *observable) Max(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Max(comparator, opts...) }, opts)}
}

func (o *observable) Min(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Min(comparator, opts...) }, opts)}
}

func (o *observable) Reduce(apply rxgo.Func2, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Reduce(apply, opts...) }, opts)}
}

func (o *observable) SequenceEqual(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.SequenceEqual(observed(iterable.Observe(opts...)), opts...)
	}, opts)}
}

func (o *observable) SumFloat32(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.SumFloat32(opts...) }, opts)}
}

func (o *observable) SumFloat64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.SumFloat64(opts...) }, opts)}
}

func (o *observable) SumInt64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.SumInt64(opts...) }, opts)}
}

func (o *observable) ToMap(keySelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.ToMap(keySelector, opts...) }, opts)}
}

func (o *observable) ToMapWithValueSelector(keySelector, valueSelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.ToMapWithValueSelector(keySelector, valueSelector, opts...)
	}, opts)}
}
