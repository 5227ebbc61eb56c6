package hot_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// A token is one subscriber's copy of a value. Somebody must get it, or a
// hook of the Subject; once, and not both.
type token struct {
	n    int
	fate atomic.Int32
}

func settle(v any) {
	if each, ok := v.(*token); ok {
		each.fate.Add(1)
	}
}

func odd(v any) bool {
	if v.(*token).n%2 == 1 {
		return true
	}
	settle(v) // it ends here
	return false
}

// subscribers each subscribe once and return when they have left, with the
// channel that they stopped reading. end is closed when the Subject has ended.
var subscribers = map[string]func(o rxgo.Observable, end <-chan struct{}) <-chan rxgo.Item{
	"reads": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		for item := range o.Observe() {
			settle(item.V)
		}
		return nil
	},
	"reads a while": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		return leaving(func(ctx context.Context) <-chan rxgo.Item { return readSome(o.Observe(rxgo.WithContext(ctx)), 9) })
	},
	"stalls until the end": func(o rxgo.Observable, end <-chan struct{}) <-chan rxgo.Item {
		ch := o.Observe()
		<-end
		for item := range ch {
			settle(item.V)
		}
		return nil
	},
	"never reads, and leaves": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		return leaving(func(ctx context.Context) <-chan rxgo.Item { return o.Observe(rxgo.WithContext(ctx)) })
	},
	"stalls behind a filter until the end": func(o rxgo.Observable, end <-chan struct{}) <-chan rxgo.Item {
		ch := o.Filter(odd).Observe()
		<-end
		for item := range ch {
			settle(item.V)
		}
		return nil
	},
	"reads a while behind a filter": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		return leaving(func(ctx context.Context) <-chan rxgo.Item {
			return readSome(o.Filter(odd).Observe(rxgo.WithContext(ctx)), 9)
		})
	},
	"never reads behind a filter, and leaves": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		return leaving(func(ctx context.Context) <-chan rxgo.Item { return o.Filter(odd).Observe(rxgo.WithContext(ctx)) })
	},
	"is called": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		<-o.ForEach(settle, func(error) {}, func() {})
		return nil
	},
	"leaves within its callback": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		<-o.ForEach(func(v any) { settle(v); cancel() }, func(error) {}, func() {}, rxgo.WithContext(ctx))
		return nil
	},
	"leaves by Goexit": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		<-o.DoOnNext(func(v any) { settle(v); runtime.Goexit() })
		return nil
	},
	"takes a few": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		<-o.Filter(odd).Take(5).DoOnNext(settle)
		return nil
	},
	"takes a few and does not read them": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		return leaving(func(ctx context.Context) <-chan rxgo.Item { return o.Take(5).Observe(rxgo.WithContext(ctx)) })
	},
	"takes while": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		few := 0
		<-o.TakeWhile(func(v any) bool {
			if few++; few > 7 {
				settle(v) // the one that ends it
			}
			return few <= 7
		}).ForEach(settle, func(error) {}, func() {})
		return nil
	},
	"maps, which is taking": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		return leaving(func(ctx context.Context) <-chan rxgo.Item {
			ch := o.Map(func(_ context.Context, v any) (any, error) { settle(v); return nil, nil }).Observe(rxgo.WithContext(ctx))
			return readSome(ch, 9)
		})
	},
	"takes the first": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		if item, err := o.First().Get(); err == nil && item.V != nil {
			settle(item.V)
		}
		return nil
	},
	"is RxGo's own, to the end": func(o rxgo.Observable, _ <-chan struct{}) <-chan rxgo.Item {
		<-o.Scan(func(_ context.Context, _, v any) (any, error) { settle(v); return 1, nil }).Run()
		return nil
	},
}

// leaving runs what subscribes and then ends its context.
func leaving(subscribe func(ctx context.Context) <-chan rxgo.Item) <-chan rxgo.Item {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ch := subscribe(ctx)
	runtime.Gosched()
	return ch
}

func readSome(ch <-chan rxgo.Item, n int) <-chan rxgo.Item {
	for range n {
		if item, ok := <-ch; ok {
			settle(item.V)
		}
	}
	return ch
}

// kinds are those of Subjects that lose in different ways.
var kinds = map[string][]hot.SubjectOption{
	"newest":     {hot.WithOverflow(hot.DropNewest)},
	"oldest":     {hot.WithOverflow(hot.DropOldest)},
	"growing":    {hot.WithGrowingQueue()},
	"perishable": {hot.WithPerishable(fresh, spoilt)},
	"overflowed": {hot.WithOverflowed(settle)},
	"all":        {hot.WithOverflowed(settle), hot.WithGrowingQueue(), hot.WithPerishable(fresh, spoilt)},
}

var over = func() <-chan struct{} { ch := make(chan struct{}); close(ch); return ch }()

// Of the perishable tokens every fifth is over when its turn comes, and every
// third as soon as it has to wait.
func fresh(v any) bool { return v.(*token).n%5 != 0 }

func spoilt(v any) <-chan struct{} {
	if v.(*token).n%3 == 0 {
		return over
	}
	return nil
}

func TestEveryValueIsDeliveredOrToldAsDropped(t *testing.T) {
	for kind, opts := range kinds {
		for name, subscribe := range subscribers {
			if name == "maps, which is taking" && (kind == "perishable" || kind == "all") {
				continue // what is over is withdrawn even so
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { conserve(t, opts, subscribe) })
			})
		}
	}
}

func conserve(t *testing.T, opts []hot.SubjectOption, subscribe func(rxgo.Observable, <-chan struct{}) <-chan rxgo.Item) {
	var tokens []*token // grows under the Subject's lock
	s := hot.NewSubject(append([]hot.SubjectOption{
		hot.WithQueue(8),
		hot.WithDropped(settle),
		hot.WithEach(func(v any) any {
			each := &token{n: v.(int)}
			tokens = append(tokens, each)
			return each
		}),
	}, opts...)...)
	end := make(chan struct{})
	ended := func() bool {
		select {
		case <-end:
			return true
		default:
			return false
		}
	}
	var group sync.WaitGroup
	left := make([][]<-chan rxgo.Item, 3)
	for i := range left {
		group.Go(func() {
			for !ended() {
				if ch := subscribe(s.Observable(), end); ch != nil {
					left[i] = append(left[i], ch)
				}
			}
		})
	}
	for i := 0; len(tokens) < 4000; i++ {
		s.Publish(i)
		if i%7 == 0 {
			runtime.Gosched()
		}
	}
	s.Complete()
	close(end)
	group.Wait()
	synctest.Wait() // who left by a context has been taken out
	for _, ch := range slices.Concat(left...) {
		for item := range ch { // what is in a closed channel is its reader's
			settle(item.V)
		}
	}

	lost, twice := 0, 0
	for _, each := range tokens {
		switch fate := each.fate.Load(); {
		case fate == 0:
			lost++
		case fate > 1:
			twice++
		}
	}
	if lost+twice > 0 {
		t.Fatalf("of %d values %d are lost and %d were both delivered and dropped", len(tokens), lost, twice)
	}
}
