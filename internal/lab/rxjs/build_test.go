package rxjs

import (
	"context"
	"iter"
	"strings"
	"time"

	rover "github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// chain makes an observable of what is only an rxgo.Iterable.
func chain(it rxgo.Iterable) rxgo.Observable {
	if o, ok := it.(rxgo.Observable); ok {
		return o
	}
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		ch := it.Observe(rxgo.WithContext(ctx))
		return func(yield func(rxgo.Item) bool) {
			for item := range ch {
				if !yield(item) {
					return
				}
			}
		}
	}, nil)
}

func just(vals []any) rxgo.Observable {
	if len(vals) == 0 {
		return rxgo.Empty()
	}
	return rxgo.Just(vals...)()
}

func (b *builder) input(v any) rxgo.Observable {
	if list, ok := v.([]any); ok {
		return just(list)
	}
	n, ok := isRef(v, "$obs")
	if !ok {
		return rxgo.Thrown(jsErr{"no observable: " + key(v)})
	}
	return b.node(n)
}

func (b *builder) node(i int) rxgo.Observable {
	b.mu.Lock()
	o := b.made[i]
	b.mu.Unlock()
	if o != nil {
		return o
	}
	o = chain(b.make(i))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made[i] == nil {
		b.made[i] = o
	}
	return b.made[i]
}

func (b *builder) project(n *node) rxgo.ItemToObservable {
	f := n.fn(0)
	return func(item rxgo.Item) rxgo.Observable {
		switch {
		case item.Error():
			return rxgo.Thrown(item.E)
		case len(n.Args) == 0 || strings.HasSuffix(n.Op, "All"):
			return b.input(item.V)
		case f == nil:
			return b.input(n.Args[0])
		}
		r, err := b.call(f, item.V)
		if err != nil {
			return rxgo.Thrown(err)
		}
		return b.input(r)
	}
}

func (b *builder) make(i int) rxgo.Iterable {
	n := &b.k.Nodes[i]
	if n.Creator {
		switch n.Op {
		case "of":
			return just(n.Args)
		case "from":
			return just(n.Args[0].([]any))
		case "EMPTY":
			return rxgo.Empty()
		case "NEVER":
			return rxgo.Never()
		case "throwError":
			if f := n.fn(0); f != nil {
				r, _ := b.call(f)
				return rxgo.Thrown(jsErr{key(r)})
			}
			return rxgo.Thrown(jsErr{key(n.Args[0])})
		case "merge":
			return rover.Merge(b.inputs(n.Args))
		case "concat":
			return rxgo.Concat(b.inputs(n.Args))
		case "interval":
			d, _ := n.num(0)
			return rover.Interval(time.Duration(d) * time.Millisecond)
		case "partition":
			yes, no := rover.Partition(b.input(n.Args[0]), b.pred(n.fn(1)))
			return []rxgo.Observable{yes, no}[n.Part]
		}
	}
	if n.Op == "of" {
		return just(n.Vals)
	}
	src := b.node(n.In)
	switch n.Op {
	case "map":
		return src.Map(func(_ context.Context, v any) (any, error) { return b.call(n.fn(0), v) })
	case "mapTo":
		return src.Map(func(context.Context, any) (any, error) { return n.Args[0], nil })
	case "filter":
		return src.Filter(b.pred(n.fn(0)))
	case "skipWhile":
		return src.SkipWhile(b.pred(n.fn(0)))
	case "find":
		return src.Find(b.pred(n.fn(0)))
	case "take":
		c, _ := n.num(0)
		return src.Take(uint(c))
	case "skip":
		c, _ := n.num(0)
		return src.Skip(uint(c))
	case "takeLast":
		c, _ := n.num(0)
		return src.TakeLast(uint(c))
	case "skipLast":
		c, _ := n.num(0)
		return src.SkipLast(uint(c))
	case "elementAt":
		c, _ := n.num(0)
		return src.ElementAt(uint(c))
	case "first":
		if f := n.fn(0); f != nil {
			return src.Find(b.pred(f))
		}
		return src.First()
	case "last":
		return src.Last()
	case "takeWhile":
		p := b.pred(n.fn(0))
		if len(n.Args) > 1 && truthy(n.Args[1]) {
			return src.TakeUntil(func(v any) bool { return !p(v) })
		}
		return src.TakeWhile(p)
	case "scan", "reduce":
		f := func(_ context.Context, acc, v any) (any, error) {
			if acc == nil {
				if len(n.Args) < 2 {
					return v, nil
				}
				acc = n.Args[1]
			}
			return b.call(n.fn(0), acc, v)
		}
		if n.Op == "scan" {
			return src.Scan(f)
		}
		return src.Reduce(f)
	case "toArray":
		return src.Reduce(func(_ context.Context, acc, v any) (any, error) {
			list, _ := acc.([]any)
			return append(list[:len(list):len(list)], v), nil
		})
	case "min", "max":
		cmp := func(x, y any) int {
			if f := n.fn(0); f != nil {
				r, _ := b.call(f, x, y)
				return int(r.(float64))
			}
			p, q := x.(float64), y.(float64)
			switch {
			case p < q:
				return -1
			case p > q:
				return 1
			}
			return 0
		}
		if n.Op == "min" {
			return src.Min(cmp)
		}
		return src.Max(cmp)
	case "every":
		return src.All(b.pred(n.fn(0)))
	case "count":
		return chain(src.Count()).Map(func(_ context.Context, v any) (any, error) { return float64(v.(int64)), nil }) // JavaScript's numbers
	case "defaultIfEmpty":
		return src.DefaultIfEmpty(n.Args[0])
	case "ignoreElements":
		return src.IgnoreElements()
	case "bufferCount":
		c, _ := n.num(0)
		return src.BufferWithCount(int(c))
	case "debounceTime":
		c, _ := n.num(0)
		return src.Debounce(rxgo.WithDuration(time.Duration(c) * time.Millisecond))
	case "distinct":
		return src.Distinct(func(_ context.Context, v any) (any, error) {
			if f := n.fn(0); f != nil {
				r, err := b.call(f, v)
				return key(r), err
			}
			return key(v), nil // a key RxGo can hash
		})
	case "distinctUntilChanged":
		return src.DistinctUntilChanged(func(_ context.Context, v any) (any, error) { return key(v), nil })
	case "retry":
		c, _ := n.num(0)
		return src.Retry(int(c), func(error) bool { return true })
	case "repeat":
		c, _ := n.num(0)
		return src.Repeat(int64(c)-1, nil)
	case "startWith":
		return src.StartWith(just(n.Args))
	case "concatMap", "concatMapTo", "concatAll":
		return src.FlatMap(b.project(n))
	case "mergeMap", "mergeMapTo", "mergeAll":
		at := 1
		if n.Op == "mergeAll" {
			at = 0
		}
		c, _ := n.num(at)
		return rover.MergeMap(src, int(c), b.project(n))
	case "takeUntil":
		return rover.TakeUntil(src, b.input(n.Args[0]))
	case "sample":
		return src.Sample(b.input(n.Args[0]))
	case "sequenceEqual":
		return src.SequenceEqual(b.input(n.Args[0]))
	case "share":
		return rover.Share(src)
	case "withLatestFrom":
		if f := n.fn(1); f != nil {
			return rover.WithLatestFrom(src, b.input(n.Args[0]), func(_ context.Context, x, y any) (any, error) { return b.call(f, x, y) })
		}
		out := src
		for j, a := range n.Args {
			out = rover.WithLatestFrom(out, b.input(a), func(_ context.Context, x, y any) (any, error) {
				if j == 0 {
					return []any{x, y}, nil
				}
				list := x.([]any)
				return append(list[:len(list):len(list)], y), nil
			})
		}
		return out
	case "mergeWith", "merge":
		return rover.Merge(append([]rxgo.Observable{src}, b.inputs(n.Args)...))
	case "concatWith":
		return rxgo.Concat(append([]rxgo.Observable{src}, b.inputs(n.Args)...))
	case "zip", "zipWith":
		return src.ZipFromIterable(b.input(n.Args[0]), func(_ context.Context, x, y any) (any, error) { return []any{x, y}, nil })
	}
	panic("no " + n.Op)
}

func (b *builder) inputs(args []any) []rxgo.Observable {
	var all []rxgo.Observable
	for _, a := range args {
		all = append(all, b.input(a))
	}
	return all
}
