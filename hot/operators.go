package hot

import (
	"time"

	"github.com/reactivex/rxgo/v2"
)

// The rest of RxGo's operators, run as they are on a source that subscribes
// synchronously and is unsubscribed with them (see native). A second source is
// subscribed at the same moment as the first.

// observed is a source that has been subscribed to already.
type observed <-chan rxgo.Item

func (ch observed) Observe(...rxgo.Option) <-chan rxgo.Item { return ch }

func (o *observable) BufferWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.BufferWithCount(count, opts...) }, opts)
}

func (o *observable) BufferWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.BufferWithTime(timespan, opts...) }, opts, mishandlesCancel)
}

func (o *observable) BufferWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.BufferWithTimeOrCount(timespan, count, opts...)
	}, opts, mishandlesCancel)
}

func (o *observable) Debounce(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Debounce(timespan, opts...) }, opts)
}

func (o *observable) DefaultIfEmpty(defaultValue any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.DefaultIfEmpty(defaultValue, opts...)
	}, opts)
}

func (o *observable) Distinct(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Distinct(apply, opts...) }, opts)
}

func (o *observable) DistinctUntilChanged(apply rxgo.Func, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.DistinctUntilChanged(apply, opts...)
	}, opts)
}

func (o *observable) GroupBy(length int, distribution func(rxgo.Item) int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.GroupBy(length, distribution, opts...)
	}, opts, outlived, multiplies)
}

func (o *observable) GroupByDynamic(distribution func(rxgo.Item) string, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.GroupByDynamic(distribution, opts...)
	}, opts)
}

func (o *observable) IgnoreElements(opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.IgnoreElements(opts...) }, opts)
}

func (o *observable) Join(joiner rxgo.Func2, right rxgo.Observable, timeExtractor func(any) time.Time, window rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.Join(joiner, rxgo.FromChannel(right.Observe(opts...)), timeExtractor, window, opts...)
	}, opts, multiplies)
}

func (o *observable) Marshal(marshaller rxgo.Marshaller, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Marshal(marshaller, opts...) }, opts)
}

func (o *observable) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.OnErrorResumeNext(resumeSequence, opts...)
	}, opts, multiplies)
}

func (o *observable) OnErrorReturn(resumeFunc rxgo.ErrorFunc, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.OnErrorReturn(resumeFunc, opts...) }, opts)
}

func (o *observable) OnErrorReturnItem(resume any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.OnErrorReturnItem(resume, opts...) }, opts)
}

func (o *observable) Repeat(count int64, frequency rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Repeat(count, frequency, opts...) }, opts, multiplies)
}

func (o *observable) Retry(count int, shouldRetry func(error) bool, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Retry(count, shouldRetry, opts...) }, opts)
}

func (o *observable) Sample(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.Sample(observed(iterable.Observe(opts...)), opts...)
	}, opts)
}

func (o *observable) Scan(apply rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Scan(apply, opts...) }, opts)
}

func (o *observable) Serialize(from int, identifier func(any) int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.Serialize(from, identifier, opts...)
	}, opts)
}

func (o *observable) SkipLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.SkipLast(nth, opts...) }, opts)
}

func (o *observable) StartWith(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.StartWith(observed(iterable.Observe(opts...)), opts...)
	}, opts, multiplies)
}

func (o *observable) TakeLast(nth uint, opts ...rxgo.Option) rxgo.Observable {
	if nth == 0 { // RxGo's own panics at the first item
		return o.IgnoreElements(opts...)
	}
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.TakeLast(nth, opts...) }, opts, multiplies)
}

func (o *observable) TimeInterval(opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.TimeInterval(opts...) }, opts)
}

func (o *observable) Timestamp(opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.Timestamp(opts...) }, opts)
}

func (o *observable) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() any, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.Unmarshal(unmarshaller, factory, opts...)
	}, opts)
}

func (o *observable) WindowWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.WindowWithCount(count, opts...) }, opts, mishandlesCancel)
}

func (o *observable) WindowWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable { return s.WindowWithTime(timespan, opts...) }, opts, mishandlesCancel)
}

func (o *observable) WindowWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.WindowWithTimeOrCount(timespan, count, opts...)
	}, opts, mishandlesCancel)
}

func (o *observable) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.native(func(s rxgo.Observable, opts []rxgo.Option) rxgo.Iterable {
		return s.ZipFromIterable(observed(iterable.Observe(opts...)), zipper, opts...)
	}, opts)
}
