package hot_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// What RxGo v2.5.0 does. Each test is named in docs/rxgo.md; if one fails
// after an upgrade, RxGo has changed and the page with it.

func TestRxGoEventSourceBlockStallsEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		source := make(chan rxgo.Item, 8)
		o := rxgo.FromEventSource(source, rxgo.WithContext(ctx))
		o.Observe() // reads nothing
		live := o.Observe()
		source <- rxgo.Of(1)
		source <- rxgo.Of(2)
		synctest.Wait()
		equal(t, len(source), 1) // stuck at the first item
		select {
		case item := <-live:
			t.Fatalf("the live subscriber got %v past the stalled one", item.V)
		default:
		}
	})
}

func TestRxGoEventSourceDropLosesWhatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item)
		o := rxgo.FromEventSource(source, rxgo.WithBackPressureStrategy(rxgo.Drop))
		ch := o.Observe() // its reader is busy with something else for a moment
		for i := range 100 {
			source <- rxgo.Of(i)
		}
		synctest.Wait()
		close(source)
		equal(t, drain(ch), []any(nil))
	})
}

func TestRxGoEventSourceNeverLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item)
		o := rxgo.FromEventSource(source, rxgo.WithBackPressureStrategy(rxgo.Drop))
		ctx, cancel := context.WithCancel(t.Context())
		gone := o.Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(1))
		cancel()
		synctest.Wait()
		source <- rxgo.Of("after leaving")
		close(source)
		equal(t, drain(gone), []any{"after leaving"})
	})
}

func TestRxGoIntervalStartsWhenBuiltAndItsFirstTickIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start := time.Now()
		o := rxgo.Interval(rxgo.WithDuration(time.Second), rxgo.WithContext(ctx))
		time.Sleep(2500 * time.Millisecond) // nobody has subscribed: 0 and 1 are gone
		item := <-o.Observe()
		equal(t, item.V, any(2))
		equal(t, time.Since(start), 3*time.Second)
	})
}

func TestRxGoIntervalLivesUntilItsOwnContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		own, leave := context.WithCancel(t.Context())
		o := rxgo.Interval(rxgo.WithDuration(time.Second), rxgo.WithContext(ctx))
		ch := o.Observe(rxgo.WithContext(own))
		leave()
		time.Sleep(time.Minute)
		equal(t, goroutines(), 2) // its ticker and its event source
		cancel()                  // without WithContext there would be no way to end them
		synctest.Wait()
		drainOpen(ch)
	})
}

func TestRxGoPublishStallsBehindWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item, 2)
		o := rxgo.FromChannel(source, rxgo.WithPublishStrategy())
		ctx, leave := context.WithCancel(t.Context())
		gone := o.Observe(rxgo.WithContext(ctx))
		live := o.Observe()
		_, disconnect := o.Connect(t.Context())
		leave()
		source <- rxgo.Of(1)
		close(source)
		synctest.Wait()
		equal(t, drainOpen(live), []any(nil))
		disconnect() // does not help: the send to who left looks at no context
		synctest.Wait()
		equal(t, goroutines(), 1)
		<-gone // only this does
		equal(t, drain(live), []any{1})
	})
}

func TestRxGoTakeSwallowsOneMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := make(chan rxgo.Item)
		ch := rxgo.FromChannel(source).Take(2).Observe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			equal(t, drain(ch), numbers(1, 2))
		}()
		source <- rxgo.Of(1)
		source <- rxgo.Of(2)
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("Take(2) has ended with the second item")
		default:
		}
		source <- rxgo.Of(3) // read, and given to nobody
		<-ended
	})
}

func TestRxGoTakeNeverUnsubscribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		for _, early := range []rxgo.Iterable{ticking().Take(1), ticking().First()} {
			drain(early.Observe(rxgo.WithContext(ctx)))
		}
		time.Sleep(time.Minute)
		equal(t, goroutines(), 2) // both sources
		cancel()
	})
}

// And ours.

func TestTakeEndsWithItsLastItemAndLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		ch := s.Observable().Take(2).Observe()
		publish(s, 1, 2)
		equal(t, drain(ch), numbers(1, 2))
		synctest.Wait()
		equal(t, s.Publish(3), 0)
		first := s.Observable().First().Observe()
		publish(s, 4, 5)
		equal(t, drain(first), []any{4})
		synctest.Wait()
		equal(t, s.Subscribers(), 0)
	})
}

// drainOpen reads what is there, of a channel that may never be closed.
func drainOpen(ch <-chan rxgo.Item) (all []any) {
	for {
		select {
		case item, ok := <-ch:
			if !ok {
				return all
			}
			all = append(all, content(item))
		default:
			return all
		}
	}
}
