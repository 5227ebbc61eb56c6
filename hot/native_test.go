package hot_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

var second = rxgo.WithDuration(time.Second)

// natives are the operators that run as RxGo's own, on a stream of numbers;
// but for SequenceEqual, which spins on a processor once one side has ended.
var natives = map[string]func(o rxgo.Observable) rxgo.Iterable{
	"All":                   func(o rxgo.Observable) rxgo.Iterable { return o.All(all) },
	"AverageInt":            func(o rxgo.Observable) rxgo.Iterable { return o.AverageInt() },
	"BufferWithCount":       func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithCount(2) },
	"BufferWithTime":        func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithTime(second) },
	"BufferWithTimeOrCount": func(o rxgo.Observable) rxgo.Iterable { return o.BufferWithTimeOrCount(second, 1) },
	"Contains":              func(o rxgo.Observable) rxgo.Iterable { return o.Contains(func(v any) bool { return v == 3 }) },
	"Count":                 func(o rxgo.Observable) rxgo.Iterable { return o.Count() },
	"Debounce":              func(o rxgo.Observable) rxgo.Iterable { return o.Debounce(second) },
	"DefaultIfEmpty":        func(o rxgo.Observable) rxgo.Iterable { return o.DefaultIfEmpty(0) },
	"Distinct":              func(o rxgo.Observable) rxgo.Iterable { return o.Distinct(same) },
	"DistinctUntilChanged":  func(o rxgo.Observable) rxgo.Iterable { return o.DistinctUntilChanged(same) },
	"ElementAt":             func(o rxgo.Observable) rxgo.Iterable { return o.ElementAt(2) },
	"Filter with a pool":    func(o rxgo.Observable) rxgo.Iterable { return o.Filter(all, rxgo.WithPool(3)) },
	"FirstOrDefault":        func(o rxgo.Observable) rxgo.Iterable { return o.FirstOrDefault(0) },
	"GroupByDynamic": func(o rxgo.Observable) rxgo.Iterable {
		return o.GroupByDynamic(func(rxgo.Item) string { return "all" })
	},
	"IgnoreElements": func(o rxgo.Observable) rxgo.Iterable { return o.IgnoreElements() },
	"Join": func(o rxgo.Observable) rxgo.Iterable {
		return o.Join(sum, ticking(), func(any) time.Time { return time.Time{} }, second)
	},
	"Last":              func(o rxgo.Observable) rxgo.Iterable { return o.Last() },
	"Map with a pool":   func(o rxgo.Observable) rxgo.Iterable { return o.Map(same, rxgo.WithCPUPool()) },
	"Max":               func(o rxgo.Observable) rxgo.Iterable { return o.Max(compare) },
	"OnErrorResumeNext": func(o rxgo.Observable) rxgo.Iterable { return o.OnErrorResumeNext(never) },
	"OnErrorReturn":     func(o rxgo.Observable) rxgo.Iterable { return o.OnErrorReturn(func(err error) any { return err }) },
	"OnErrorReturnItem": func(o rxgo.Observable) rxgo.Iterable { return o.OnErrorReturnItem(0) },
	"Reduce":            func(o rxgo.Observable) rxgo.Iterable { return o.Reduce(sum) },
	"Repeat":            func(o rxgo.Observable) rxgo.Iterable { return o.Repeat(rxgo.Infinite, second) },
	"Retry":             func(o rxgo.Observable) rxgo.Iterable { return o.Retry(2, func(error) bool { return true }) },
	"Sample":            func(o rxgo.Observable) rxgo.Iterable { return o.Sample(ticking()) },
	"Scan":              func(o rxgo.Observable) rxgo.Iterable { return o.Scan(sum) },
	"Serialize":         func(o rxgo.Observable) rxgo.Iterable { return o.Serialize(1, func(v any) int { return v.(int) }) },
	"SkipLast":          func(o rxgo.Observable) rxgo.Iterable { return o.SkipLast(2) },
	"StartWith":         func(o rxgo.Observable) rxgo.Iterable { return o.StartWith(ticking()) },
	"SumInt64":          func(o rxgo.Observable) rxgo.Iterable { return o.SumInt64() },
	"TakeLast":          func(o rxgo.Observable) rxgo.Iterable { return o.TakeLast(2) },
	"TimeInterval":      func(o rxgo.Observable) rxgo.Iterable { return o.TimeInterval() },
	"Timestamp":         func(o rxgo.Observable) rxgo.Iterable { return o.Timestamp() },
	"ToMap":             func(o rxgo.Observable) rxgo.Iterable { return o.ToMap(same) },
	"WindowWithCount":   func(o rxgo.Observable) rxgo.Iterable { return o.WindowWithCount(2) },
	"WindowWithTime":    func(o rxgo.Observable) rxgo.Iterable { return o.WindowWithTime(second) },
	"WindowWithTimeOrCount": func(o rxgo.Observable) rxgo.Iterable {
		return o.WindowWithTimeOrCount(second, 1)
	},
	"ZipFromIterable": func(o rxgo.Observable) rxgo.Iterable { return o.ZipFromIterable(ticking(), sum) },
}

// ticking emits every second, without end.
func ticking() rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		for rxgo.Of(1).SendContext(ctx, next) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}})
}

func never(error) rxgo.Observable { return rxgo.Never() }

// ways are all ways to be rid of an operator.
var ways = map[string]func(t *testing.T, s *hot.Subject, observed rxgo.Iterable){
	"the context ends before anything came": func(t *testing.T, s *hot.Subject, observed rxgo.Iterable) {
		ctx, cancel := context.WithCancel(context.Background())
		observed.Observe(rxgo.WithContext(ctx))
		cancel()
	},
	"the context ends and nobody reads": func(t *testing.T, s *hot.Subject, observed rxgo.Iterable) {
		ctx, cancel := context.WithCancel(context.Background())
		observed.Observe(rxgo.WithContext(ctx))
		publish(s, 1, 9)
		cancel()
	},
	"the context ends while items come": func(t *testing.T, s *hot.Subject, observed rxgo.Iterable) {
		ctx, cancel := context.WithCancel(context.Background())
		ch := observed.Observe(rxgo.WithContext(ctx))
		go func() {
			for range ch {
			}
		}()
		publish(s, 1, 3)
		cancel()
		publish(s, 4, 9)
	},
	"the context was ended": func(t *testing.T, s *hot.Subject, observed rxgo.Iterable) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		drain(observed.Observe(rxgo.WithContext(ctx)))
	},
	"the reader breaks off": func(t *testing.T, s *hot.Subject, observed rxgo.Iterable) {
		o, ok := observed.(rxgo.Observable)
		if !ok {
			return // a single, which ends with its item
		}
		items := hot.Items(context.Background(), o)
		broken := make(chan struct{})
		go func() {
			defer close(broken)
			for range items {
				break
			}
		}()
		publish(s, 1, 5)
		time.Sleep(5 * time.Second)
		s.Complete() // for those that emit at the end only
		<-broken
	},
}

func TestAnOperatorLeavesNothingBehind(t *testing.T) {
	for name, run := range natives {
		for way, rid := range ways {
			t.Run(name+"/"+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := hot.NewSubject()
					rid(t, s, run(s.Observable()))
					time.Sleep(time.Hour) // the operator's own timers
					synctest.Wait()
					equal(t, s.Subscribers(), 0)
					equal(t, goroutines(), 0)
				})
			})
		}
	}
}

// Many of RxGo's operators work for one subscription only, or start when they
// are built. On a hot stream they are as good as the others.
func TestAnOperatorIsObservedTwice(t *testing.T) {
	for name, run := range natives {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject()
				ctx, cancel := context.WithCancel(context.Background())
				observed := run(s.Observable())
				equal(t, s.Subscribers(), 0)
				a := counted(observed.Observe(rxgo.WithContext(ctx)))
				b := counted(observed.Observe(rxgo.WithContext(ctx)))
				equal(t, s.Subscribers(), 2)
				for i := range 4 {
					s.Publish(i + 1)
					time.Sleep(time.Minute + time.Second/10) // between two ticks
				}
				s.Complete()
				time.Sleep(time.Minute + time.Second/10)
				first, other := a.Load(), b.Load()
				cancel()
				time.Sleep(time.Hour) // Repeat sleeps, whatever its context does
				if first != other {
					t.Fatalf("%d items for one and %d for the other", first, other)
				}
			})
		})
	}
}

// counted reads a channel, and the windows and groups that come of it, and
// counts what is not one.
func counted(ch <-chan rxgo.Item) *atomic.Int64 {
	var n atomic.Int64
	var count func(ch <-chan rxgo.Item)
	count = func(ch <-chan rxgo.Item) {
		for item := range ch {
			if inner, ok := item.V.(rxgo.Observable); ok {
				go count(inner.Observe())
			} else {
				n.Add(1)
			}
		}
	}
	go count(ch)
	return &n
}
