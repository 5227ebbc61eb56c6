package hot

import (
	"time"

	"github.com/reactivex/rxgo/v2"
)

// The rest of RxGo's operators, run as they are on a source that subscribes
// synchronously and is unsubscribed with them (see native). A second source is
// subscribed together with the first.

// plain, with and with2 are operators of RxGo's that take no, one and two
// arguments before their options.

func plain[R rxgo.Iterable](op func(rxgo.Observable, ...rxgo.Option) R) operator {
	return func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return op(s, opts...) }
}

func with[A any, R rxgo.Iterable](op func(rxgo.Observable, A, ...rxgo.Option) R, a A) operator {
	return func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return op(s, a, opts...) }
}

func with2[A, B any, R rxgo.Iterable](op func(rxgo.Observable, A, B, ...rxgo.Option) R, a A, b B) operator {
	return func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return op(s, a, b, opts...) }
}

// beside is an operator that takes a second source.
func beside[R rxgo.Iterable](op func(rxgo.Observable, rxgo.Iterable, ...rxgo.Option) R, second rxgo.Iterable) operator {
	return func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return op(s, observed(second.Observe(opts...)), opts...)
	}
}

// observed is a source that has been subscribed to already.
type observed <-chan rxgo.Item

func (ch observed) Observe(...rxgo.Option) <-chan rxgo.Item { return ch }

func (o *observable) BufferWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.BufferWithCount, count), opts)
}

func (o *observable) BufferWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.BufferWithTime, timespan), opts, mishandlesCancel)
}

func (o *observable) BufferWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.BufferWithTimeOrCount, timespan, count), opts, mishandlesCancel)
}

func (o *observable) Debounce(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.Debounce, timespan), opts)
}

func (o *observable) DefaultIfEmpty(defaultValue any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.DefaultIfEmpty, defaultValue), opts)
}

func (o *observable) Distinct(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.Distinct, apply), opts)
}

func (o *observable) DistinctUntilChanged(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.DistinctUntilChanged, apply), opts)
}

func (o *observable) GroupBy(length int, distribution func(rxgo.Item) int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.GroupBy, length, distribution), opts, outlived, multiplies)
}

func (o *observable) GroupByDynamic(distribution func(rxgo.Item) string, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.GroupByDynamic, distribution), opts)
}

func (o *observable) IgnoreElements(opts ...rxgo.Option) rxgo.Observable {
	return o.native(plain(rxgo.Observable.IgnoreElements), opts)
}

func (o *observable) Join(joiner rxgo.Func2, right rxgo.Observable, timeExtractor func(any) time.Time, window rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.Join(joiner, rxgo.FromChannel(right.Observe(opts...)), timeExtractor, window, opts...)
	}, opts, multiplies)
}

func (o *observable) Marshal(marshaller rxgo.Marshaller, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.Marshal, marshaller), opts)
}

func (o *observable) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.OnErrorResumeNext, resumeSequence), opts, multiplies)
}

func (o *observable) OnErrorReturn(resumeFunc rxgo.ErrorFunc, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.OnErrorReturn, resumeFunc), opts)
}

func (o *observable) OnErrorReturnItem(resume any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.OnErrorReturnItem, resume), opts)
}

func (o *observable) Repeat(count int64, frequency rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.Repeat, count, frequency), opts, multiplies)
}

func (o *observable) Retry(count int, shouldRetry func(error) bool, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.Retry, count, shouldRetry), opts)
}

func (o *observable) Sample(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(beside(rxgo.Observable.Sample, iterable), opts)
}

func (o *observable) Scan(apply rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.Scan, apply), opts)
}

func (o *observable) Serialize(from int, identifier func(any) int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.Serialize, from, identifier), opts)
}

func (o *observable) SkipLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.SkipLast, nth), opts)
}

func (o *observable) StartWith(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(beside(rxgo.Observable.StartWith, iterable), opts, multiplies)
}

func (o *observable) TakeLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	if nth == 0 { // RxGo's own panics at the first item
		return o.IgnoreElements(opts...)
	}
	return o.native(with(rxgo.Observable.TakeLast, nth), opts, multiplies)
}

func (o *observable) TimeInterval(opts ...rxgo.Option) rxgo.Observable {
	return o.native(plain(rxgo.Observable.TimeInterval), opts)
}

func (o *observable) Timestamp(opts ...rxgo.Option) rxgo.Observable {
	return o.native(plain(rxgo.Observable.Timestamp), opts)
}

func (o *observable) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.Unmarshal, unmarshaller, factory), opts)
}

func (o *observable) WindowWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.WindowWithCount, count), opts, mishandlesCancel)
}

func (o *observable) WindowWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with(rxgo.Observable.WindowWithTime, timespan), opts, mishandlesCancel)
}

func (o *observable) WindowWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(with2(rxgo.Observable.WindowWithTimeOrCount, timespan, count), opts, mishandlesCancel)
}

func (o *observable) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.ZipFromIterable(observed(iterable.Observe(opts...)), zipper, opts...)
	}, opts)
}
