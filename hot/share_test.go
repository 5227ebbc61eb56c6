package hot_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

func ExampleShare() {
	source := hot.NewSubject()
	shared := hot.Share(source.Observable(), nil)
	first, second := shared.Observe(), shared.Observe()
	fmt.Println("subscribed to the source:", source.Subscribers())
	source.Publish("a")
	fmt.Println((<-first).V, (<-second).V)
	source.Complete()
	// Output:
	// subscribed to the source: 1
	// a a
}

func ExampleNewest() {
	states := hot.NewSubject(hot.WithQueue(2)) // which drops the newest
	latest := hot.Newest(context.Background(), states.Observable())
	for state := range 10 {
		states.Publish(state)
	}
	states.Complete()
	for item := range latest {
		fmt.Println(item.V)
	}
	// Output:
	// 8
	// 9
}

// A subscriber's own buffer is the size of its queue, behind Share too.
func TestShareQueues(t *testing.T) {
	var dropped atomic.Int64
	source := hot.NewSubject(hot.WithQueue(1000))
	shared := hot.Share(source.Observable(), nil, hot.WithQueue(1), hot.WithDropped(func(any) { dropped.Add(1) }))
	release := make(chan struct{})
	seen := 0
	big := shared.ForEach(func(any) { <-release; seen++ }, nil, func() {}, rxgo.WithBufferedChannel(500))
	small := shared.ForEach(func(any) { <-release }, nil, func() {})
	publish(source, 1, 500)
	source.Complete()
	close(release)
	<-big
	<-small
	if seen != 500 {
		t.Errorf("the subscriber with room for all saw %d", seen)
	}
	if n := dropped.Load(); n < 1 || n > 499 {
		t.Errorf("the one with room for one lost %d", n)
	}
}

// Whoever comes after the end starts anew, also while one who was there before
// has not noticed the end yet.
func TestShareStartsAnewAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sources []*hot.Subject
		shared := hot.Share(hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
			s := hot.NewSubject()
			sources = append(sources, s)
			return hot.Items(ctx, s.Observable())
		}, nil), nil)
		stuck := make(chan struct{})
		slow := shared.DoOnNext(func(any) { <-stuck })
		sources[0].Publish(1)
		sources[0].Complete()
		synctest.Wait()

		ch := shared.Observe()
		equal(t, len(sources), 2)
		sources[1].Publish(2)
		close(stuck)
		<-slow // the old one leaves, and takes nothing of the new one along
		synctest.Wait()
		other := shared.Observe()
		equal(t, len(sources), 2)
		sources[1].Publish(3)
		sources[1].Complete()
		equal(t, drain(ch), numbers(2, 3))
		equal(t, drain(other), numbers(3, 3))
	})
}

func TestShareStartsAnewWhenAllHaveLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := hot.NewSubject()
		shared := hot.Share(source.Observable(), nil)
		for i := range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			a, b := shared.Observe(rxgo.WithContext(ctx)), shared.Observe(rxgo.WithContext(ctx))
			equal(t, source.Subscribers(), 1)
			source.Publish(i)
			equal(t, read(a, 1), numbers(i, i))
			equal(t, read(b, 1), numbers(i, i))
			cancel()
			synctest.Wait()
			equal(t, source.Subscribers(), 0)
			equal(t, goroutines(), 0)
		}
	})
}

func TestShareFailsWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := hot.NewSubject()
		shared := hot.Share(source.Observable(), nil)
		a, b := shared.Observe(), shared.Observe()
		source.Publish(1)
		source.Fail(errOdd)
		equal(t, drain(a), []any{1, "odd"})
		equal(t, drain(b), []any{1, "odd"})
	})
}

// With copies for each subscriber, nobody gets the value itself: it is dropped.
func TestShareDropsWhatItMadeCopiesOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost losses
		source := hot.NewSubject()
		shared := hot.Share(source.Observable(), nil, append(lost.hooks(),
			hot.WithEach(func(v any) any { return 10 * v.(int) }))...)
		a, b := shared.Observe(), shared.Observe()
		publish(source, 1, 2)
		source.Complete()
		equal(t, drain(a), []any{10, 20})
		equal(t, drain(b), []any{10, 20})
		equal(t, lost, losses{Dropped: numbers(1, 2)})
	})
}

// A source may take its time to end. Who comes meanwhile starts anew, and the
// old one's end is not that of the new one.
func TestShareStartsAnewWhileTheSourceIsStillLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, slow := 0, make(chan struct{})
		shared := hot.Share(hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
			begun++
			return func(func(rxgo.Item) bool) {
				<-ctx.Done()
				<-slow
			}
		}, nil), nil)
		ctx, cancel := context.WithCancel(t.Context())
		old := shared.Observe(rxgo.WithContext(ctx))
		cancel()
		synctest.Wait()

		ctx, cancel = context.WithCancel(t.Context())
		shared.Observe(rxgo.WithContext(ctx))
		equal(t, begun, 2)
		close(slow)
		equal(t, drain(old), []any(nil))
		synctest.Wait()
		shared.Observe(rxgo.WithContext(ctx))
		equal(t, begun, 2)
		cancel()
		synctest.Wait()
		equal(t, goroutines(), 0)
	})
}
