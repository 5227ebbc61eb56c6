package hot_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// The table of docs/rxgo.md: each operator on a hot stream, and RxGo's own. Every
// row is tested, and the page has what the test has seen:
//
//	go test ./hot -run TestTheContract -update
var update = flag.Bool("update", false, "write the table of docs/rxgo.md anew")

// A row is an operator, applied to 1, 2, 3 and an error, and to 1, 2, 3 and the
// end. What comes of that is a line: items, "failed" for the error, "|" for the
// end where it is no error's.
type row struct {
	name     string
	here     string // fused, one goroutine, native
	see      func(o rxgo.Observable) rxgo.Iterable
	failed   string
	ended    string
	rxgos    string                                 // RxGo's own, of 1, 2, 3 and an error; "": it is not run, see note
	note     string                                 // what else is wrong with it
	consumes func(o rxgo.Observable, log func(any)) // instead of see
}

const (
	fused = "fused"
	one   = "one goroutine"
	pool  = "fused; native with a pool"
)

func key(_ context.Context, v any) (any, error) { return v, noError(v) }

// noError fails a function that was given an error.
func noError(v any) error {
	if _, bad := v.(error); bad || v == nil {
		panic("a function was given an error")
	}
	return nil
}

func is(n int) rxgo.Predicate { return func(v any) bool { return noError(v) == nil && v == n } }

func inner(i rxgo.Item) rxgo.Observable {
	if i.Error() {
		panic("a function was given an error")
	}
	return rxgo.Just(i.V, i.V)()
}

func total(_ context.Context, acc, v any) (any, error) {
	if acc == nil {
		return v, noError(v)
	}
	return acc.(int) + v.(int), nil
}

type it = rxgo.Iterable
type ob = rxgo.Observable

var hour = rxgo.WithDuration(time.Hour)

var contract = []row{
	{name: "All", here: fused, see: func(o ob) it { return o.All(below(9)) }, failed: "failed", ended: "true |", rxgos: "failed true"},
	{name: "AverageFloat32", here: fused, see: func(o ob) it { return o.AverageFloat32() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "AverageFloat64", here: fused, see: func(o ob) it { return o.AverageFloat64() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "AverageInt", here: fused, see: func(o ob) it { return o.AverageInt() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "AverageInt8", here: fused, see: func(o ob) it { return o.Map(as[int8]).AverageInt8() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "AverageInt16", here: fused, see: func(o ob) it { return o.Map(as[int16]).AverageInt16() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "AverageInt32", here: fused, see: func(o ob) it { return o.Map(as[int32]).AverageInt32() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "AverageInt64", here: fused, see: func(o ob) it { return o.Map(as[int64]).AverageInt64() }, failed: "failed", ended: "2 |", rxgos: "failed 2"},
	{name: "BackOffRetry", here: one, see: func(o ob) it { return o.BackOffRetry(onlyOnce{}) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "subscribes when it is built; panics when its context ends: `TestRxGoBackOffRetryPanicsWhenCancelled`"},
	{name: "BufferWithCount", here: fused, see: func(o ob) it { return o.BufferWithCount(2) }, failed: "[1 2] failed", ended: "[1 2] [3] |", rxgos: "[1 2] failed [3]"},
	{name: "BufferWithTime", here: one, see: func(o ob) it { return o.BufferWithTime(hour) }, failed: "failed", ended: "[1 2 3] |", rxgos: "failed [1 2 3]",
		note: "holds a mutex while it sends"},
	{name: "BufferWithTimeOrCount", here: one, see: func(o ob) it { return o.BufferWithTimeOrCount(hour, 2) }, failed: "[1 2] failed", ended: "[1 2] [3] |",
		note: "holds a mutex while it sends; emits after an error"},
	{name: "Connect", here: "nothing to do", consumes: func(o ob, log func(any)) {
		_, cancel := o.Connect(context.Background())
		cancel()
	}, note: "one subscriber that has left stalls everyone: `TestRxGoPublishStallsBehindWhoLeft`"},
	{name: "Contains", here: fused, see: func(o ob) it { return o.Contains(is(9)) }, failed: "failed", ended: "false |", rxgos: "failed false"},
	{name: "Count", here: fused, see: func(o ob) it { return o.Count() }, failed: "failed", ended: "3 |", rxgos: "3"},
	{name: "Debounce", here: one, see: func(o ob) it { return o.Debounce(hour) }, failed: "failed", ended: "3 |", rxgos: "failed",
		note: "drops what is left at the end"},
	{name: "DefaultIfEmpty", here: fused, see: func(o ob) it { return o.Filter(is(9)).DefaultIfEmpty(0) }, failed: "failed", ended: "0 |", rxgos: "failed 0"},
	{name: "Distinct", here: fused, see: func(o ob) it { return o.Distinct(key) }, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "DistinctUntilChanged", here: fused, see: func(o ob) it { return o.DistinctUntilChanged(key) }, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "DoOnCompleted", here: fused, consumes: func(o ob, log func(any)) { <-o.DoOnCompleted(func() { log("|") }) }, failed: "|", ended: "|"},
	{name: "DoOnError", here: fused, consumes: func(o ob, log func(any)) { <-o.DoOnError(func(err error) { log(err) }) }, failed: "failed"},
	{name: "DoOnNext", here: fused, consumes: func(o ob, log func(any)) { <-o.DoOnNext(func(v any) { log(v) }) }, failed: "1 2 3", ended: "1 2 3"},
	{name: "ElementAt", here: fused, see: func(o ob) it { return o.ElementAt(9) }, failed: "failed", ended: "illegal input: ", rxgos: "failed illegal input: "},
	{name: "Error", here: fused, consumes: func(o ob, log func(any)) { log(o.Error()) }, failed: "failed", ended: "<nil>"},
	{name: "Errors", here: fused, consumes: func(o ob, log func(any)) { log(o.Errors()) }, failed: "[failed]", ended: "[]"},
	{name: "Filter", here: pool, see: func(o ob) it { return o.Filter(is(2)) }, failed: "2 failed", ended: "2 |", rxgos: "2 failed",
		note: "loses an item when the context ends: `TestRxGoStagesLoseAnItemEachOnCancel`; the option `Serialize` never ends an empty stream: `TestRxGoSerializeOptionNeverEndsAnEmptyStream`"},
	{name: "Find", here: fused, see: func(o ob) it { return o.Find(is(9)) }, failed: "failed", ended: "|", rxgos: "failed"},
	{name: "First", here: fused, see: func(o ob) it { return o.First() }, failed: "1 |", ended: "1 |", rxgos: "1",
		note: "never leaves its source: `TestRxGoTakeNeverUnsubscribes`"},
	{name: "FirstOrDefault", here: fused, see: func(o ob) it { return o.Filter(is(9)).FirstOrDefault(0) }, failed: "failed", ended: "0 |", rxgos: "failed 0"},
	{name: "FlatMap", here: one, see: func(o ob) it { return o.FlatMap(inner) }, failed: "1 1 2 2 3 3 failed", ended: "1 1 2 2 3 3 |",
		note: "gives its function the error; sees that only between inner sources; is ConcatMap: `TestRxGoFlatMapIsConcatMap`, as here; panics when it is observed twice: `TestRxGoFlatMapObservedTwicePanics`"},
	{name: "ForEach", here: fused, consumes: func(o ob, log func(any)) {
		<-o.ForEach(func(v any) { log(v) }, func(err error) { log(err) }, func() { log("|") })
	}, failed: "1 2 3 failed |", ended: "1 2 3 |", note: "ignores the context among its options: `TestRxGoForEachIgnoresItsContext`"},
	{name: "GroupBy", here: one, see: func(o ob) it { return o.GroupBy(1, groupOf).FlatMap(groups) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "gives its function the error; subscribes when it is built; holds up all groups when one is not read"},
	{name: "GroupByDynamic", here: one, see: func(o ob) it {
		return o.GroupByDynamic(func(i rxgo.Item) string { return fmt.Sprint(groupOf(i)) }).FlatMap(groups)
	}, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "gives its function the error; subscribes when it is built; holds up all groups when one is not read"},
	{name: "IgnoreElements", here: fused, see: func(o ob) it { return o.IgnoreElements() }, failed: "failed", ended: "|", rxgos: "failed"},
	{name: "Join", here: one, see: func(o ob) it {
		return o.Join(sum, rxgo.Just(5)(), func(any) time.Time { return time.Time{} }, hour)
	}, failed: "6 7 8 failed", ended: "6 7 8 |", note: "reads its other side only when its own has emitted; never ends with some sources"},
	{name: "Last", here: fused, see: func(o ob) it { return o.Last() }, failed: "failed", ended: "3 |", rxgos: "failed 3"},
	{name: "LastOrDefault", here: fused, see: func(o ob) it { return o.LastOrDefault(0) }, failed: "failed", ended: "3 |", rxgos: "failed 3"},
	{name: "Map", here: pool, see: func(o ob) it { return o.Map(key) }, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "Marshal", here: pool, see: func(o ob) it { return o.Marshal(marshal) }, failed: "[49] [50] [51] failed", ended: "[49] [50] [51] |", rxgos: "[49] [50] [51] failed"},
	{name: "Max", here: fused, see: func(o ob) it { return o.Max(compare) }, failed: "failed", ended: "3 |", rxgos: "failed 3"},
	{name: "Min", here: fused, see: func(o ob) it { return o.Min(compare) }, failed: "failed", ended: "1 |", rxgos: "failed 1"},
	{name: "Observe", here: fused, see: func(o ob) it { return o }, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "OnErrorResumeNext", here: one, see: func(o ob) it { return o.OnErrorResumeNext(func(error) ob { return rxgo.Just(4)() }) },
		failed: "1 2 3 4 |", ended: "1 2 3 |", rxgos: "1 2 3 4",
		note: "calls its function again for an error of what that returned; shares its options between subscribers: `TestRxGoOptionSlicesAreSharedBetweenSubscribers`"},
	{name: "OnErrorReturn", here: fused, see: func(o ob) it { return o.OnErrorReturn(func(err error) any { return "(" + err.Error() + ")" }) },
		failed: "1 2 3 (failed) |", ended: "1 2 3 |", rxgos: "1 2 3 (failed)"},
	{name: "OnErrorReturnItem", here: fused, see: func(o ob) it { return o.OnErrorReturnItem(0) }, failed: "1 2 3 0 |", ended: "1 2 3 |", rxgos: "1 2 3 0"},
	{name: "Reduce", here: fused, see: func(o ob) it { return o.Reduce(total) }, failed: "failed", ended: "6 |", rxgos: "failed",
		note: "with ContinueOnError, forgets what it has when an error comes"},
	{name: "Repeat", here: one, see: func(o ob) it { return o.Take(2).Repeat(1, nil) }, failed: "1 2 failed", ended: "1 2 |", rxgos: "1 2 1 2",
		note: "emits again what it has recorded, and does not subscribe again"},
	{name: "Retry", here: one, see: func(o ob) it { return o.Retry(2, func(error) bool { return true }) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "subscribes when it is built: `TestRxGoStartsBeforeAnybodySubscribes`"},
	{name: "Run", here: fused, consumes: func(o ob, log func(any)) { <-o.Run(); log("|") }, failed: "|", ended: "|"},
	{name: "Sample", here: one, see: func(o ob) it { return o.Sample(rxgo.Never()) }, failed: "failed", ended: "|",
		note: "loses an error; subscribes when it is built"},
	{name: "Scan", here: fused, see: func(o ob) it { return o.Scan(total) }, failed: "1 3 6 failed", ended: "1 3 6 |", rxgos: "1 3 6 failed"},
	{name: "Send", here: fused, consumes: func(o ob, log func(any)) {
		ch := make(chan rxgo.Item)
		o.Send(ch)
		for item := range ch {
			log(content(item))
		}
	}, failed: "1 2 3 failed", ended: "1 2 3"},
	{name: "SequenceEqual", here: one, see: func(o ob) it { return o.SequenceEqual(rxgo.Just(1, 2, 3)()) }, failed: "failed", ended: "true |",
		note: "loses an error; keeps a processor busy once one side has ended"},
	{name: "Serialize", here: fused, see: func(o ob) it { return o.Serialize(1, func(v any) int { return v.(int) }) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "subscribes when it is built"},
	{name: "Skip", here: fused, see: func(o ob) it { return o.Skip(2) }, failed: "3 failed", ended: "3 |", rxgos: "3 failed"},
	{name: "SkipLast", here: fused, see: func(o ob) it { return o.SkipLast(1) }, failed: "1 2 failed", ended: "1 2 |", rxgos: "1",
		note: "is Take(n): `TestRxGoSkipLastTakesTheFirst`"},
	{name: "SkipWhile", here: fused, see: func(o ob) it { return o.SkipWhile(below(3)) }, failed: "3 failed", ended: "3 |", rxgos: "3 failed"},
	{name: "StartWith", here: one, see: func(o ob) it { return o.StartWith(rxgo.Just(0)()) }, failed: "0 1 2 3 failed", ended: "0 1 2 3 |",
		note: "subscribes when it is built; ends at an error whatever the error strategy"},
	{name: "SumFloat32", here: fused, see: func(o ob) it { return o.SumFloat32() }, failed: "failed", ended: "6 |", rxgos: "failed"},
	{name: "SumFloat64", here: fused, see: func(o ob) it { return o.SumFloat64() }, failed: "failed", ended: "6 |", rxgos: "failed"},
	{name: "SumInt64", here: fused, see: func(o ob) it { return o.SumInt64() }, failed: "failed", ended: "6 |", rxgos: "failed"},
	{name: "Take", here: fused, see: func(o ob) it { return o.Take(2) }, failed: "1 2 |", ended: "1 2 |", rxgos: "1 2",
		note: "ends with the item after its last: `TestRxGoTakeSwallowsOneMore`"},
	{name: "TakeLast", here: fused, see: func(o ob) it { return o.TakeLast(2) }, failed: "failed", ended: "2 3 |", rxgos: "failed 2 3",
		note: "TakeLast(0) panics: `TestRxGoTakeLastOfNonePanics`"},
	{name: "TakeUntil", here: fused, see: func(o ob) it { return o.TakeUntil(is(9)) }, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "TakeWhile", here: fused, see: func(o ob) it { return o.TakeWhile(below(9)) }, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "TimeInterval", here: fused, see: func(o ob) it { return o.TimeInterval() }, failed: "0s 0s 0s failed", ended: "0s 0s 0s |", rxgos: "0s 0s 0s failed"},
	{name: "Timestamp", here: fused, see: func(o ob) it {
		return o.Timestamp().Map(func(_ context.Context, v any) (any, error) { return v.(rxgo.TimestampItem).V, nil })
	}, failed: "1 2 3 failed", ended: "1 2 3 |", rxgos: "1 2 3 failed"},
	{name: "ToMap", here: fused, see: func(o ob) it { return o.ToMap(key) }, failed: "failed", ended: "map[1:1 2:2 3:3] |", rxgos: "failed map[1:1 2:2 3:3]"},
	{name: "ToMapWithValueSelector", here: fused, see: func(o ob) it { return o.ToMapWithValueSelector(key, key) }, failed: "failed", ended: "map[1:1 2:2 3:3] |", rxgos: "failed map[1:1 2:2 3:3]"},
	{name: "ToSlice", here: fused, consumes: func(o ob, log func(any)) {
		all, err := o.ToSlice(0)
		log(all)
		log(err)
	}, failed: "[1 2 3] failed", ended: "[1 2 3] <nil>"},
	{name: "Unmarshal", here: pool, see: func(o ob) it { return o.Marshal(marshal).Unmarshal(unmarshal, func() any { return nil }) }, failed: "<nil> <nil> <nil> failed", ended: "<nil> <nil> <nil> |", rxgos: "<nil> <nil> <nil> failed"},
	{name: "WindowWithCount", here: one, see: func(o ob) it { return o.WindowWithCount(9).FlatMap(groups) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "stays blocked in a window that nobody reads: `TestRxGoWindowsHoldWhoLeaves`; emits an error in the window only"},
	{name: "WindowWithTime", here: one, see: func(o ob) it { return o.WindowWithTime(hour).FlatMap(groups) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "holds a mutex while it sends; emits an error twice, in the window only"},
	{name: "WindowWithTimeOrCount", here: one, see: func(o ob) it { return o.WindowWithTimeOrCount(hour, 9).FlatMap(groups) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "holds a mutex while it sends; emits an error twice, in the window only"},
	{name: "ZipFromIterable", here: one, see: func(o ob) it { return o.ZipFromIterable(rxgo.Just(1, 2, 3, 4)(), sum) }, failed: "2 4 6 failed", ended: "2 4 6 |",
		note: "takes no notice of the other side's end and error; subscribes when it is built"},

	{name: "hot.CombineLatest", here: one, see: func(o ob) it {
		return hot.CombineLatest(func(all ...any) any { return fmt.Sprint(all) }, []ob{o, rxgo.Just("x")()})
	}, failed: "[1 x] [2 x] [3 x] failed", ended: "[1 x] [2 x] [3 x] |", note: "hands out its own slice: `TestRxGoCombineLatestHandsOutItsOwnSlice`"},
	{name: "hot.Concat", here: one, see: func(o ob) it { return hot.Concat([]ob{o, rxgo.Just(4)()}) }, failed: "1 2 3 failed", ended: "1 2 3 4 |", note: "goes on after an error"},
	{name: "hot.DebounceBy", here: one, see: func(o ob) it { return hot.DebounceBy(o, func(rxgo.Item) ob { return rxgo.Never() }) }, failed: "failed", ended: "3 |"},
	{name: "hot.Delay", here: one, see: func(o ob) it { return hot.Delay(o, time.Second) }, failed: "failed", ended: "1 2 3 |"},
	{name: "hot.EndWith", here: one, see: func(o ob) it { return hot.EndWith(o, []any{4}) }, failed: "1 2 3 failed", ended: "1 2 3 4 |"},
	{name: "hot.ExhaustMap", here: one, see: func(o ob) it { return hot.ExhaustMap(o, func(i rxgo.Item) ob { return inner(i).Filter(all) }) }, failed: "failed", ended: "1 1 |"},
	{name: "hot.Merge", here: one, see: func(o ob) it { return hot.Merge([]ob{o, rxgo.Empty()}) }, failed: "1 2 3 failed", ended: "1 2 3 |",
		note: "stays blocked in a send: `TestRxGoMergeLeaksItsBlockedSend`; shares its items among subscribers: `TestRxGoMergeIsForOneSubscriptionOnly`"},
	{name: "hot.MergeMap", here: one, see: func(o ob) it { return hot.MergeMap(o, 1, inner) }, failed: "1 1 2 2 3 3 failed", ended: "1 1 2 2 3 3 |"},
	{name: "hot.Race", here: one, see: func(o ob) it { return hot.Race([]ob{o, rxgo.Never()}) }, failed: "1 2 3 failed", ended: "1 2 3 |", note: "`Amb` starts when it is built"},
	{name: "hot.Repeat", here: one, see: func(o ob) it {
		return hot.Repeat(o.Take(2), func(n int) (time.Duration, bool) { return time.Second, n < 2 })
	}, failed: "1 2 failed", ended: "1 2 |"},
	{name: "hot.Retry", here: one, see: func(o ob) it {
		return hot.Retry(o, func(n int, err error) (time.Duration, bool) { return time.Second, n < 2 })
	}, failed: "1 2 3 failed", ended: "1 2 3 |"},
	{name: "hot.Share", here: "one goroutine for all", see: func(o ob) it { return hot.Share(o, nil) }, failed: "1 2 3 failed", ended: "1 2 3 |"},
	{name: "hot.SwitchMap", here: one, see: func(o ob) it {
		return hot.SwitchMap(o, func(i rxgo.Item) ob { return hot.EndWith(rxgo.Empty(), []any{i.V}) })
	}, failed: "failed", ended: "3 |"},
	{name: "hot.TakeUntil", here: one, see: func(o ob) it { return hot.TakeUntil(o, rxgo.Never()) }, failed: "1 2 3 failed", ended: "1 2 3 |"},
	{name: "hot.WithLatestFrom", here: one, see: func(o ob) it { return hot.WithLatestFrom(hot.Delay(o, time.Second), rxgo.Just(1)(), sum) }, failed: "failed", ended: "2 3 4 |"},
}

func as[N int8 | int16 | int32 | int64](_ context.Context, v any) (any, error) {
	return N(v.(int)), nil
}
func marshal(v any) ([]byte, error)   { return []byte(fmt.Sprint(v)), noError(v) }
func unmarshal(b []byte, _ any) error { return noError(b) }
func groups(i rxgo.Item) rxgo.Observable {
	if g, ok := i.V.(rxgo.GroupedObservable); ok {
		return g.Observable
	}
	return i.V.(rxgo.Observable)
}
func groupOf(i rxgo.Item) int { return i.V.(int) * 0 }

// run applies a row to a source that play plays.
func (r row) run(o rxgo.Observable, play func()) string {
	var seen []string
	log := func(v any) {
		if err, ok := v.(error); ok {
			v = err.Error()
		}
		seen = append(seen, fmt.Sprint(v))
	}
	done := make(chan struct{})
	ready := make(chan struct{})
	go func() {
		defer close(done)
		if r.consumes != nil {
			close(ready)
			r.consumes(o, log)
			return
		}
		ch := r.see(o).Observe()
		close(ready)
		failed := false
		for item := range ch {
			log(content(item))
			failed = item.Error()
		}
		if !failed {
			log("|")
		}
	}()
	<-ready
	synctest.Wait()
	play()
	<-done
	return strings.Join(seen, " ")
}

func TestTheContract(t *testing.T) {
	failed := errors.New("failed")
	for _, r := range contract {
		t.Run(r.name, func(t *testing.T) {
			for _, err := range []error{failed, nil} {
				synctest.Test(t, func(t *testing.T) {
					s := hot.NewSubject()
					got := r.run(s.Observable(), func() {
						publish(s, 1, 3)
						s.Fail(err)
					})
					want := r.ended
					if err != nil {
						want = r.failed
					}
					equal(t, got, want)
					synctest.Wait()
					equal(t, goroutines(), 0)
				})
			}
			if r.rxgos == "" {
				return
			}
			synctest.Test(t, func(t *testing.T) {
				source := make(chan rxgo.Item, 4)
				got := r.run(rxgo.FromChannel(source), func() {
					for i := range 3 {
						source <- rxgo.Of(i + 1)
					}
					source <- rxgo.Error(failed)
					close(source)
				})
				equal(t, strings.TrimSuffix(got, " |"), r.rxgos)
			})
		})
	}
}

// Every method of RxGo's interface has a row.
func TestTheContractIsComplete(t *testing.T) {
	var rows []string
	for _, r := range contract {
		rows = append(rows, r.name)
	}
	methods := reflect.TypeFor[rxgo.Observable]()
	for i := range methods.NumMethod() {
		if name := methods.Method(i).Name; !slices.Contains(rows, name) {
			t.Errorf("%s has no row", name)
		}
	}
}

// The page has the table.
func TestTheContractsPage(t *testing.T) {
	const page, begin, end = "../docs/rxgo.md", "<!-- table: go test ./hot -run TestTheContract -update -->\n", "<!-- end of the table -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !ok || !ends {
		t.Fatal("docs/rxgo.md has no place for the table")
	}
	var table strings.Builder
	fmt.Fprint(&table, "\n| operator | here | 1 2 3, then an error | 1 2 3, then the end | RxGo's own, 1 2 3, then an error |\n|---|---|---|---|---|\n")
	for _, r := range contract {
		if r.name == "Connect" {
			r.failed, r.ended = "", ""
		}
		theirs := code(r.rxgos)
		if r.rxgos == strings.TrimSuffix(r.failed, " |") {
			theirs = "the same"
		}
		if r.rxgos == "" {
			theirs = ""
		}
		theirs = strings.Trim(theirs+"; "+r.note, "; ")
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", r.name, r.here, code(r.failed), code(r.ended), theirs)
	}
	want := before + begin + table.String() + "\n" + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Error("docs/rxgo.md is out of date: go test ./hot -run TestTheContract -update")
	}
}

func code(line string) string {
	if line == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(strings.TrimSpace(line), "|", "\\|") + "`"
}
