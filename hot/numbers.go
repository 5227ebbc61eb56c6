package hot

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// Sums and averages. The types that each accepts are RxGo's.

type number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~float32 | ~float64
}

// to converts the numbers that RxGo's sums know.
func to[N number](v any) (n N, ok bool) {
	switch v := v.(type) {
	case int:
		return N(v), true
	case int8:
		return N(v), true
	case int16:
		return N(v), true
	case int32:
		return N(v), true
	case int64:
		return N(v), true
	}
	return 0, false
}

// toFloat knows fractions too.
func toFloat[N float32 | float64](v any) (n N, ok bool) {
	switch v := v.(type) {
	case float32:
		return N(v), true
	case float64:
		return N(v), true
	}
	return to[N](v)
}

func exactly[N number](v any) (N, bool) {
	n, ok := v.(N)
	return n, ok
}

func sum[N number](o *observable, name string, opts []rxgo.Option, convert func(any) (N, bool)) rxgo.OptionalSingle {
	return optional{o.reduced(opts, func(_ context.Context, acc, v any) (any, error) {
		total, _ := acc.(N)
		n, ok := convert(v)
		if !ok {
			return nil, unfit(name, v)
		}
		return total + n, nil
	}, nil)}
}

func (o *observable) SumInt64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return sum(o, "SumInt64", opts, to[int64])
}

func (o *observable) SumFloat32(opts ...rxgo.Option) rxgo.OptionalSingle {
	return sum(o, "SumFloat32", opts, func(v any) (float32, bool) {
		if _, double := v.(float64); double {
			return 0, false
		}
		return toFloat[float32](v)
	})
}

func (o *observable) SumFloat64(opts ...rxgo.Option) rxgo.OptionalSingle {
	return sum(o, "SumFloat64", opts, toFloat[float64])
}

// average emits the int 0 for a stream without values, as RxGo's does.
func average[N number](o *observable, name string, opts []rxgo.Option, convert func(any) (N, bool)) rxgo.Single {
	return single{o.stage(true, opts, func(who subscriber, to sink) sink {
		var total, count N
		s := values(who, to, func(v any) bool {
			n, ok := convert(v)
			if !ok {
				return who.fail(to, unfit(name, v))
			}
			total += n
			count++
			return true
		})
		s.done = func() {
			if count == 0 {
				to.last(0)
			} else {
				to.last(total / count)
			}
		}
		return s
	})}
}

func (o *observable) AverageFloat32(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageFloat32", opts, fraction[float32])
}

func (o *observable) AverageFloat64(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageFloat64", opts, fraction[float64])
}

// fraction converts the numbers that RxGo's averages of fractions know.
func fraction[N float32 | float64](v any) (N, bool) {
	switch v.(type) {
	case int, float32, float64:
		return toFloat[N](v)
	}
	return 0, false
}

func (o *observable) AverageInt(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageInt", opts, exactly[int])
}

func (o *observable) AverageInt8(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageInt8", opts, exactly[int8])
}

func (o *observable) AverageInt16(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageInt16", opts, exactly[int16])
}

func (o *observable) AverageInt32(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageInt32", opts, exactly[int32])
}

func (o *observable) AverageInt64(opts ...rxgo.Option) rxgo.Single {
	return average(o, "AverageInt64", opts, exactly[int64])
}
