package hot_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// Two sides of one source, through fused stages, meet in the order in which it was
// published. Real goroutines, on two processors: what is a matter of luck fails.
func TestTwoSidesMeetInPublishOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const rounds, items = 2000, 3
	plus := func(_ context.Context, v any) (any, error) { return fmt.Sprint(v, "+"), nil }
	pair := func(_ context.Context, a, b any) (any, error) { return fmt.Sprint(a, b), nil }
	sources := map[string]func(o rxgo.Observable) rxgo.Observable{
		"a Subject": func(o rxgo.Observable) rxgo.Observable { return o },
		"a Share":   func(o rxgo.Observable) rxgo.Observable { return hot.Share(o, nil) },
	}
	for name, test := range map[string]struct {
		op   func(o rxgo.Observable) rxgo.Observable
		want string // of 1, 2, 3
	}{
		"TakeUntil":      {func(o rxgo.Observable) rxgo.Observable { return hot.TakeUntil(o, o.Filter(is(3)).Map(plus)) }, "[1 2]"},
		"WithLatestFrom": {func(o rxgo.Observable) rxgo.Observable { return hot.WithLatestFrom(o, o.Filter(all).Map(plus), pair) }, "[11+ 22+ 33+]"},
		"Merge":          {func(o rxgo.Observable) rxgo.Observable { return hot.Merge([]rxgo.Observable{o.Map(plus), o}) }, "[1+ 1 2+ 2 3+ 3]"},
		"Zip":            {func(o rxgo.Observable) rxgo.Observable { return o.ZipFromIterable(o.Skip(1).Map(plus), pair) }, "[12+ 23+]"},
		"CombineLatest": {func(o rxgo.Observable) rxgo.Observable {
			return hot.CombineLatest(func(all ...any) any { return fmt.Sprint(all...) }, []rxgo.Observable{o, o.Map(plus)})
		}, "[11+ 21+ 22+ 32+ 33+]"},
		"Sample": {func(o rxgo.Observable) rxgo.Observable { return o.Sample(o.Filter(is(2))) }, "[2]"},
		"Concat": {func(o rxgo.Observable) rxgo.Observable { return hot.Concat([]rxgo.Observable{o, rxgo.Empty()}) }, "[1 2 3]"},
		"Merge, nested": {func(o rxgo.Observable) rxgo.Observable {
			return hot.TakeUntil(hot.Merge([]rxgo.Observable{o, o.Map(plus)}), o.Filter(is(3)))
		}, "[1 1+ 2 2+]"},
	} {
		for kind, of := range sources {
			t.Run(name+"/"+kind, func(t *testing.T) {
				wrong := 0
				for range rounds {
					s := hot.NewSubject()
					ch := test.op(of(s.Observable())).Observe()
					publish(s, 1, items)
					s.Complete()
					if got := fmt.Sprint(drain(ch)); got != test.want {
						if wrong++; wrong == 1 {
							t.Logf("got %s, want %s", got, test.want)
						}
					}
				}
				if wrong > 0 {
					t.Errorf("%d of %d in another order", wrong, rounds)
				}
			})
		}
	}
}
