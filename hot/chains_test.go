package hot_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// A link is an operator of a random chain.
type link struct {
	name string
	add  func(r *rand.Rand, o rxgo.Observable, opts []rxgo.Option) rxgo.Iterable
}

func number(v any) int {
	if n, ok := v.(int); ok {
		return n
	}
	return len(fmt.Sprint(v))
}

func under(r *rand.Rand) rxgo.Predicate {
	k := r.IntN(20)
	return func(v any) bool { return number(v) < k }
}

func newest(_ context.Context, _, v any) (any, error) { return v, nil }

func less(a, b any) int { return number(a) - number(b) }

var links = []link{
	{"Filter", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Filter(under(r), opts...) }},
	{"Map", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Map(same, opts...) }},
	{"MapErr", func(r *rand.Rand, o ob, opts []rxgo.Option) it {
		k := r.IntN(5) + 2
		return o.Map(func(_ context.Context, v any) (any, error) {
			if number(v)%k == 1 {
				return nil, errOdd
			}
			return v, nil
		}, opts...)
	}},
	{"Skip", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Skip(uint(r.IntN(6)), opts...) }},
	{"TakeWhile", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.TakeWhile(under(r), opts...) }},
	{"SkipWhile", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.SkipWhile(under(r), opts...) }},
	{"TakeUntil", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.TakeUntil(under(r), opts...) }},
	{"FlatMap", func(r *rand.Rand, o ob, opts []rxgo.Option) it {
		return o.FlatMap(func(i rxgo.Item) rxgo.Observable {
			if i.Error() { // RxGo's own asks
				return rxgo.Thrown(i.E)
			}
			return rxgo.Just(i.V, i.V)()
		}, opts...)
	}},
	{"Scan", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Scan(newest, opts...) }},
	{"Distinct", func(r *rand.Rand, o ob, opts []rxgo.Option) it {
		return o.Distinct(func(_ context.Context, v any) (any, error) { return number(v), nil }, opts...)
	}},
	{"DistinctUntilChanged", func(r *rand.Rand, o ob, opts []rxgo.Option) it {
		return o.DistinctUntilChanged(func(_ context.Context, v any) (any, error) { return number(v), nil }, opts...)
	}},
	{"BufferWithCount", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.BufferWithCount(r.IntN(4)+1, opts...) }},
	{"DefaultIfEmpty", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.DefaultIfEmpty(-1, opts...) }},
	{"TakeLast", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.TakeLast(uint(r.IntN(4)+1), opts...) }},
	{"StartWith", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.StartWith(rxgo.Just(100, 101)(), opts...) }},
	{"OnErrorReturnItem", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.OnErrorReturnItem(-7, opts...) }},
	{"OnErrorResumeNext", func(r *rand.Rand, o ob, opts []rxgo.Option) it {
		return o.OnErrorResumeNext(func(error) rxgo.Observable { return rxgo.Just(7, 8)() }, opts...)
	}},
	{"IgnoreElements", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.IgnoreElements(opts...) }},
	{"Count", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Count(opts...) }},
	{"First", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.First(opts...) }},
	{"FirstOrDefault", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.FirstOrDefault(-3, opts...) }},
	{"Last", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Last(opts...) }},
	{"LastOrDefault", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.LastOrDefault(-4, opts...) }},
	{"ElementAt", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.ElementAt(uint(r.IntN(6)), opts...) }},
	{"Find", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Find(under(r), opts...) }},
	{"All", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.All(under(r), opts...) }},
	{"Contains", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Contains(under(r), opts...) }},
	{"Reduce", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Reduce(newest, opts...) }},
	{"ToMap", func(r *rand.Rand, o ob, opts []rxgo.Option) it {
		return o.ToMap(func(_ context.Context, v any) (any, error) { return number(v), nil }, opts...)
	}},
	{"Max", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Max(less, opts...) }},
	{"Min", func(r *rand.Rand, o ob, opts []rxgo.Option) it { return o.Min(less, opts...) }},
}

// RxGo's own of these emit after an error, or swallow it; with an error strategy,
// those that end early do not (docs/rxgo.md).
var (
	wrongOnErrors  = strings.Fields("All BufferWithCount Contains Count DefaultIfEmpty ElementAt FirstOrDefault Last LastOrDefault Max Min TakeLast ToMap")
	wrongOnGoingOn = append(strings.Fields("ElementAt Find First FirstOrDefault Reduce StartWith TakeUntil TakeWhile"), wrongOnErrors...)
)

// chained is source behind a random chain, each link as RxGo's or ours; excused says
// that RxGo's own is known to be wrong there.
func chained(ctx context.Context, seed uint64, source rxgo.Observable, fails bool) (o rxgo.Iterable, name string, excused bool) {
	r := rand.New(rand.NewPCG(seed, 2))
	goesOn := r.IntN(4) == 0
	o = source
	for range 1 + r.IntN(4) {
		next := links[r.IntN(len(links))]
		opts := []rxgo.Option{rxgo.WithContext(ctx)} // some of RxGo's own look at no other
		if goesOn {
			opts = append(opts, rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		}
		if r.IntN(3) == 0 {
			opts = append(opts, rxgo.WithBufferedChannel(100))
		}
		name += "." + next.name
		excused = excused || fails && slices.Contains(wrongOnErrors, next.name) || goesOn && slices.Contains(wrongOnGoingOn, next.name)
		fails = fails || next.name == "MapErr" || next.name == "ElementAt"
		switch next.name {
		case "OnErrorReturnItem", "OnErrorResumeNext":
			fails = false
		}
		if of, ok := o.(rxgo.Observable); ok {
			o = next.add(r, of, opts)
		} else { // behind a single comes nothing
			return o, name, excused
		}
	}
	if goesOn {
		name += ", going on"
	}
	return o, name, excused
}

func TestChainsMeanWhatRxGosMean(t *testing.T) {
	chains := uint64(500)
	if n, err := strconv.Atoi(os.Getenv("CHAINS")); err == nil {
		chains = uint64(n)
	}
	compared := 0
	for seed := range chains {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			var all []any
			for range r.IntN(25) {
				all = append(all, r.IntN(15))
			}
			fails := r.IntN(3) == 0
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := hot.NewSubject(hot.WithQueue(100))
			ours, name, excused := chained(ctx, seed, s.Observable(), fails)
			if excused {
				return
			}
			compared++
			theirs, _, _ := chained(ctx, seed, rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
				for _, v := range all {
					if !rxgo.Of(v).SendContext(ctx, next) {
						return
					}
				}
				if fails {
					rxgo.Error(errors.New("failed")).SendContext(ctx, next)
				}
			}}), fails)
			ch := ours.Observe(rxgo.WithContext(ctx))
			for _, v := range all {
				s.Publish(v)
			}
			var end error
			if fails {
				end = errors.New("failed")
			}
			s.Fail(end)
			got, want := fmt.Sprint(drain(ch)), fmt.Sprint(drain(theirs.Observe(rxgo.WithContext(ctx))))
			if got != want {
				t.Errorf("chain %d, %s, of %v, fails %v:\nours   %s\nRxGo's %s", seed, name, all, fails, got, want)
			}
		})
	}
	t.Logf("%d of %d compared", compared, chains)
	if compared < int(chains/2) {
		t.Errorf("only %d of %d can be compared", compared, chains)
	}
}
