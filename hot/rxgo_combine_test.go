package hot_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// What RxGo v2.5.0 does with several sources, with stages, errors and options.

func TestRxGoCombineLatestHandsOutItsOwnSlice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := make(chan rxgo.Item), make(chan rxgo.Item)
		o := rxgo.CombineLatest(func(latest ...any) any { return latest },
			[]rxgo.Observable{rxgo.FromChannel(a), rxgo.FromChannel(b)})
		a <- rxgo.Of(1)
		b <- rxgo.Of(2)
		before := <-o.Observe()
		equal(t, before.V, any([]any{1, 2}))
		a <- rxgo.Of(3)
		<-o.Observe()
		equal(t, before.V, any([]any{3, 2})) // changed behind its owner's back
		close(a)
		close(b)
		synctest.Wait()
	})
}

func TestRxGoMergeLeaksItsBlockedSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := rxgo.Merge([]rxgo.Observable{ticking(), ticking()}, rxgo.WithContext(ctx))
		synctest.Wait()
		cancel()
		synctest.Wait()
		equal(t, goroutines() >= 2, true) // both sends look at no context
		drain(o.Observe())                // clean up
	})
}

func TestRxGoMergeIsForOneSubscriptionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := rxgo.Merge([]rxgo.Observable{rxgo.Just(1, 2)(), rxgo.Just(3, 4)()})
		got := len(drain(o.Observe())) + len(drain(o.Observe()))
		equal(t, got, 4) // for both together
	})
}

func TestRxGoStartsBeforeAnybodySubscribes(t *testing.T) {
	retry := func(error) bool { return false }
	for name, build := range map[string]func(o rxgo.Observable) rxgo.Observable{
		"Merge":     func(o rxgo.Observable) rxgo.Observable { return rxgo.Merge([]rxgo.Observable{o}) },
		"Retry":     func(o rxgo.Observable) rxgo.Observable { return o.Retry(1, retry) },
		"Sample":    func(o rxgo.Observable) rxgo.Observable { return o.Sample(rxgo.Empty()) },
		"StartWith": func(o rxgo.Observable) rxgo.Observable { return o.StartWith(rxgo.Empty()) },
		"Zip":       func(o rxgo.Observable) rxgo.Observable { return o.ZipFromIterable(rxgo.Empty(), sum) },
		"GroupBy": func(o rxgo.Observable) rxgo.Observable {
			return o.GroupBy(1, func(rxgo.Item) int { return 0 }, rxgo.WithBufferedChannel(1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				subscribed := 0
				o := build(rxgo.Defer([]rxgo.Producer{func(context.Context, chan<- rxgo.Item) { subscribed++ }}))
				synctest.Wait()
				equal(t, subscribed, 1)
				drain(o.Observe())
			})
		})
	}
}

func TestRxGoFlatMapIsConcatMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan rxgo.Item)
		inner := map[any]rxgo.Observable{1: rxgo.FromChannel(slow), 2: rxgo.Just("quick")()}
		ch := rxgo.Just(1, 2)().FlatMap(func(i rxgo.Item) rxgo.Observable { return inner[i.V] }).Observe()
		synctest.Wait()
		equal(t, drainOpen(ch), []any(nil)) // the quick one waits for the slow one
		slow <- rxgo.Of("slow")
		close(slow)
		equal(t, drain(ch), []any{"slow", "quick"})
	})
}

func TestRxGoForEachIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item)
		ctx, cancel := context.WithCancel(t.Context())
		got := 0
		done := rxgo.FromChannel(source).ForEach(func(any) { got++ }, func(error) {}, func() {}, rxgo.WithContext(ctx))
		cancel()
		synctest.Wait()
		source <- rxgo.Of(1)
		close(source)
		<-done
		equal(t, got, 1)
	})
}

func TestRxGoStagesLoseAnItemEachOnCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item, 8)
		for i := range 8 {
			source <- rxgo.Of(i)
		}
		ctx, cancel := context.WithCancel(t.Context())
		rxgo.FromChannel(source).Filter(all).Filter(all).Filter(all).Observe(rxgo.WithContext(ctx))
		synctest.Wait()
		cancel()
		synctest.Wait()
		if left := len(source); left > 5 {
			t.Fatalf("%d items are left of 8, want at most 5", left)
		}
	})
}

func TestRxGoAnErrorEndsEveryStageAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		items := make(chan rxgo.Item, 3)
		items <- rxgo.Of(1)
		items <- rxgo.Error(errors.New("bad"))
		items <- rxgo.Of(2)
		close(items)
		equal(t, drain(rxgo.FromChannel(items).Map(same).Observe()), []any{1, "bad"})
	})
}

func TestRxGoOptionSlicesAreSharedBetweenSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type name struct{}
		seen := make(chan any, 2)
		tell := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, _ chan<- rxgo.Item) { seen <- ctx.Value(name{}) }})
		item := make(chan rxgo.Item)
		o := rxgo.FromChannel(item).OnErrorResumeNext(
			func(error) rxgo.Observable { return tell },
			make([]rxgo.Option, 0, 8)..., // room to spare, for one subscriber
		)
		for _, who := range []string{"a", "b"} {
			o.Observe(rxgo.WithContext(context.WithValue(t.Context(), name{}, who)))
			synctest.Wait()
		}
		for range 2 {
			item <- rxgo.Error(errors.New("bad"))
			equal(t, <-seen, any("b")) // for a as well
		}
		close(item)
		synctest.Wait()
	})
}

func TestRxGoDeferSubscribesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := make(chan context.Context)
		o := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, _ chan<- rxgo.Item) { began <- ctx }})
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			o.Observe(rxgo.WithContext(ctx)) // has returned, and the producer is yet to run
			equal(t, <-began == ctx, true)   // once per Observe, with its context
			cancel()
		}
	})
}

func TestRxGoSkipLastTakesTheFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // it leaves its source as Take does
	equal(t, drain(rxgo.Just(1, 2, 3, 4, 5)().SkipLast(2).Observe(rxgo.WithContext(ctx))), numbers(1, 2))
}

func TestRxGoWindowsHoldWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item, 1)
		ctx, cancel := context.WithCancel(t.Context())
		source <- rxgo.Of(1)
		window := (<-rxgo.FromChannel(source).WindowWithCount(2).Observe(rxgo.WithContext(ctx))).V
		synctest.Wait()
		cancel()
		synctest.Wait()
		equal(t, goroutines(), 1) // in a send to the window, which looks at no context
		read(window.(rxgo.Observable).Observe(), 1)
	})
}

// And ours.

func TestForEachLeavesWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		ctx, cancel := context.WithCancel(t.Context())
		done := s.Observable().ForEach(func(v any) { t.Errorf("got %v", v) }, func(error) {}, func() {}, rxgo.WithContext(ctx))
		cancel()
		<-done
		equal(t, s.Publish(1), 0)
	})
}
