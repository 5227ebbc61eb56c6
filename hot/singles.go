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

// Get waits for the item. Without one it returns an empty item, and the
// context's error if that was the reason.
func (o *observable) Get(opts ...rxgo.Option) (found rxgo.Item, err error) {
	who := read(join(o.opts, opts))
	for found = range o.subscribe(who).items {
		return found, nil
	}
	return rxgo.Item{}, who.ctx.Err()
}

// First and Find end with their item: what comes after it has no subscriber.

func (o *observable) First(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.take(1, opts)}
}

func (o *observable) Find(find rxgo.Predicate, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.filter(find, opts).take(1, nil)}
}

// The rest are RxGo's own (see native).

func (o *observable) All(predicate rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with(rxgo.Observable.All, predicate), opts)}
}

func (o *observable) AverageFloat32(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageFloat32), opts)}
}

func (o *observable) AverageFloat64(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageFloat64), opts)}
}

func (o *observable) AverageInt(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageInt), opts)}
}

func (o *observable) AverageInt8(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageInt8), opts)}
}

func (o *observable) AverageInt16(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageInt16), opts)}
}

func (o *observable) AverageInt32(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageInt32), opts)}
}

func (o *observable) AverageInt64(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.AverageInt64), opts)}
}

func (o *observable) Contains(equal rxgo.Predicate, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with(rxgo.Observable.Contains, equal), opts)}
}

func (o *observable) Count(opts ...rxgo.Option) rxgo.Single {
	return single{o.native(plain(rxgo.Observable.Count), opts)}
}

func (o *observable) ElementAt(index uint, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with(rxgo.Observable.ElementAt, index), opts)}
}

func (o *observable) FirstOrDefault(defaultValue any, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with(rxgo.Observable.FirstOrDefault, defaultValue), opts)}
}

func (o *observable) Last(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(plain(rxgo.Observable.Last), opts)}
}

func (o *observable) LastOrDefault(defaultValue any, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with(rxgo.Observable.LastOrDefault, defaultValue), opts)}
}

func (o *observable) Max(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(with(rxgo.Observable.Max, comparator), opts)}
}

func (o *observable) Min(comparator rxgo.Comparator, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(with(rxgo.Observable.Min, comparator), opts)}
}

func (o *observable) Reduce(apply rxgo.Func2, opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(with(rxgo.Observable.Reduce, apply), opts)}
}

func (o *observable) SequenceEqual(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(beside(rxgo.Observable.SequenceEqual, iterable), opts)}
}

func (o *observable) SumFloat32(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(plain(rxgo.Observable.SumFloat32), opts)}
}

func (o *observable) SumFloat64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(plain(rxgo.Observable.SumFloat64), opts)}
}

func (o *observable) SumInt64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return optional{o.native(plain(rxgo.Observable.SumInt64), opts)}
}

func (o *observable) ToMap(keySelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with(rxgo.Observable.ToMap, keySelector), opts)}
}

func (o *observable) ToMapWithValueSelector(keySelector, valueSelector rxgo.Func, opts ...rxgo.Option) rxgo.Single {
	return single{o.native(with2(rxgo.Observable.ToMapWithValueSelector, keySelector, valueSelector), opts)}
}
