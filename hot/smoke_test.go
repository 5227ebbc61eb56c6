package hot_test

import (
	"context"
	"testing"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

func TestSmoke(t *testing.T) {
	for range 1000 {
		s := hot.NewSubject()
		ctx, cancel := context.WithCancel(context.Background())
		got := 0
		d1 := s.Observable().Filter(func(v any) bool { return v.(int) > 1 }).Take(2).ForEach(func(v any) { got += v.(int) }, func(error) {}, func() {})
		ch := s.Observable().Scan(func(_ context.Context, a, b any) (any, error) {
			if a == nil {
				return b, nil
			}
			return a.(int) + b.(int), nil
		}).Observe(rxgo.WithContext(ctx))
		ch2 := s.Observable().Filter(func(any) bool { return true }, rxgo.WithPool(2)).Map(func(_ context.Context, v any) (any, error) { return v, nil }).Observe()
		_ = s.Observable().Filter(func(any) bool { return true }).Observe() // abandoned
		for i := range 5 {
			if n := s.Publish(i); n < 3 {
				t.Fatal(n)
			}
		}
		for _, want := range []int{0, 1, 3} {
			if it := <-ch; it.V != want {
				t.Fatal(it, want)
			}
		}
		cancel()
		<-d1
		if got != 5 {
			t.Fatal(got)
		}
		s.Complete()
		n := 0
		for range ch2 {
			n++
		}
		if n != 5 {
			t.Fatal(n)
		}
	}
}
