package hot_test

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

func ExampleSubject() {
	temperatures := hot.NewSubject()

	done := temperatures.Observable().
		Filter(func(v any) bool { return v.(int) > 30 }).
		Take(2).
		ForEach(
			func(v any) { fmt.Println(v, "degrees") },
			func(err error) { fmt.Println("broken:", err) },
			func() { fmt.Println("done") },
		)

	for _, degrees := range []int{20, 31, 25, 35, 40} { // nothing of it is missed
		temperatures.Publish(degrees)
	}
	<-done
	// Output:
	// 31 degrees
	// 35 degrees
	// done
}

func ExampleSubject_Fail() {
	s := hot.NewSubject()
	ch := s.Observable().Observe()
	s.Publish(1)
	s.Fail(fmt.Errorf("no more"))
	for item := range ch {
		fmt.Println(item.V, item.E)
	}
	// Output:
	// 1 <nil>
	// <nil> no more
}

func ExampleWithOverflow() {
	s := hot.NewSubject(hot.WithQueue(2), hot.WithOverflow(hot.DropOldest))
	ch := s.Observable().Observe()
	for i := range 5 {
		s.Publish(i) // nobody reads yet, and publishing does not wait
	}
	s.Complete()
	for item := range ch {
		fmt.Println(item.V)
	}
	// Output:
	// 3
	// 4
}

func ExampleWithDropped() {
	s := hot.NewSubject(
		hot.WithQueue(2),
		hot.WithDropped(func(v any) { fmt.Println("dropped", v) }),
	)
	ch := s.Observable().Observe()
	for i := range 3 {
		s.Publish(i)
	}
	s.Complete()
	for item := range ch {
		fmt.Println("got", item.V)
	}
	// Output:
	// dropped 2
	// got 0
	// got 1
}

func ExampleWithLatest() {
	s := hot.NewSubject(hot.WithLatest())
	s.Publish("old")
	s.Publish("current")
	item, _ := s.Observable().First().Get() // a newcomer
	fmt.Println(item.V)
	// Output: current
}

func ExampleWithReplay() {
	open := map[any]bool{"a": true, "b": true}
	s := hot.NewSubject(hot.WithReplay(func(v any) bool { return open[v] }))
	s.Publish("a")
	s.Publish("b")
	open["a"] = false
	item, _ := s.Observable().First().Get()
	fmt.Println(item.V)
	// Output: b
}

func ExampleWithEach() {
	type offer struct{ slot int }
	s := hot.NewSubject(hot.WithEach(func(v any) any {
		own := *v.(*offer)
		return &own
	}))
	a, b := s.Observable().Observe(), s.Observable().Observe()
	s.Publish(&offer{slot: 7})
	fmt.Println((<-a).V != (<-b).V)
	// Output: true
}

func ExampleCreate() {
	countdown := hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		// Here somebody subscribes: open what the subscription needs.
		return func(yield func(rxgo.Item) bool) {
			defer fmt.Println("released") // they left, or it is over
			for n := 3; n > 0 && ctx.Err() == nil; n-- {
				if !yield(rxgo.Of(n)) {
					return
				}
			}
		}
	}, nil)
	<-countdown.Take(2).DoOnNext(func(v any) { fmt.Println(v) })
	// Output:
	// 3
	// 2
	// released
}

func ExampleItems() {
	for item := range hot.Items(context.Background(), rxgo.Range(1, 100)) {
		fmt.Println(item.V)
		if item.V == 2 {
			break // unsubscribes
		}
	}
	// Output:
	// 1
	// 2
}

func ExampleObserve() {
	ctx, leave := context.WithCancel(context.Background())
	ch := hot.Observe(ctx, rxgo.Never()) // which ignores its context
	leave()
	_, open := <-ch
	fmt.Println(open)
	// Output: false
}

func ExampleLatest() {
	s := hot.NewSubject()
	latest, leave := hot.Latest(context.Background(), s.Observable())
	defer leave()
	s.Publish(1)
	s.Publish(2)
	item, some := latest()
	fmt.Println(item.V, some)
	// Output: 2 true
}

// A reader that must miss nothing gets a queue that grows.
func ExampleLossless() {
	s := hot.NewSubject(hot.WithQueue(2))
	all := hot.Lossless(s.Observable()).Count().Observe()
	for i := range 1000 {
		s.Publish(i)
	}
	s.Complete()
	fmt.Println((<-all).V)
	// Output:
	// 1000
}

// A counter whose newcomers have its state first, and then every change.
func ExampleSubject_Update() {
	count := 0
	s := hot.NewSubject(hot.WithFirst(func() iter.Seq[any] { return slices.Values([]any{count}) }))
	add := func() { s.Update(func(bool) (any, bool) { count++; return count, true }) }
	add()
	counts := s.Observable().Observe()
	add()
	s.Complete()
	for item := range counts {
		fmt.Println(item.V)
	}
	// Output:
	// 1
	// 2
}
