package hot

import (
	"time"

	"github.com/reactivex/rxgo/v2"
)

// The rest of RxGo's operators, run as they are on a source that subscribes
// synchronously and is unsubscribed with them (see native).

func (o *observable) BufferWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.BufferWithCount(count, opts...) }, opts)
}

func (o *observable) BufferWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.BufferWithTime(timespan, opts...) }, opts)
}

func (o *observable) BufferWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.BufferWithTimeOrCount(timespan, count, opts...) }, opts)
}

func (o *observable) Debounce(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Debounce(timespan, opts...) }, opts)
}

func (o *observable) DefaultIfEmpty(defaultValue any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.DefaultIfEmpty(defaultValue, opts...) }, opts)
}

func (o *observable) Distinct(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Distinct(apply, opts...) }, opts)
}

func (o *observable) DistinctUntilChanged(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.DistinctUntilChanged(apply, opts...) }, opts)
}

func (o *observable) GroupBy(length int, distribution func(rxgo.Item) int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.GroupBy(length, distribution, opts...) }, opts)
}

func (o *observable) GroupByDynamic(distribution func(rxgo.Item) string, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.GroupByDynamic(distribution, opts...) }, opts)
}

func (o *observable) IgnoreElements(opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.IgnoreElements(opts...) }, opts)
}

func (o *observable) Join(joiner rxgo.Func2, right rxgo.Observable, timeExtractor func(any) time.Time, window rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Join(joiner, right, timeExtractor, window, opts...) }, opts)
}

func (o *observable) Marshal(marshaller rxgo.Marshaller, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Marshal(marshaller, opts...) }, opts)
}

func (o *observable) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.OnErrorResumeNext(resumeSequence, opts...) }, opts)
}

func (o *observable) OnErrorReturn(resumeFunc rxgo.ErrorFunc, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.OnErrorReturn(resumeFunc, opts...) }, opts)
}

func (o *observable) OnErrorReturnItem(resume any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.OnErrorReturnItem(resume, opts...) }, opts)
}

func (o *observable) Repeat(count int64, frequency rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Repeat(count, frequency, opts...) }, opts)
}

func (o *observable) Retry(count int, shouldRetry func(error) bool, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Retry(count, shouldRetry, opts...) }, opts)
}

func (o *observable) Sample(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Sample(iterable, opts...) }, opts)
}

func (o *observable) Scan(apply rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Scan(apply, opts...) }, opts)
}

func (o *observable) Serialize(from int, identifier func(any) int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Serialize(from, identifier, opts...) }, opts)
}

func (o *observable) SkipLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.SkipLast(nth, opts...) }, opts)
}

func (o *observable) StartWith(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.StartWith(iterable, opts...) }, opts)
}

func (o *observable) TakeLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.TakeLast(nth, opts...) }, opts)
}

func (o *observable) TimeInterval(opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.TimeInterval(opts...) }, opts)
}

func (o *observable) Timestamp(opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Timestamp(opts...) }, opts)
}

func (o *observable) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.Unmarshal(unmarshaller, factory, opts...) }, opts)
}

func (o *observable) WindowWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.WindowWithCount(count, opts...) }, opts)
}

func (o *observable) WindowWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.WindowWithTime(timespan, opts...) }, opts)
}

func (o *observable) WindowWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.WindowWithTimeOrCount(timespan, count, opts...) }, opts)
}

func (o *observable) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable) rxgo.Observable { return s.ZipFromIterable(iterable, zipper, opts...) }, opts)
}
