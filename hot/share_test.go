package hot_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

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
