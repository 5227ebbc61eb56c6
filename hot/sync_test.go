package hot_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// subscribes are ways to subscribe. What is published as soon as one of them
// has returned must come out of the channel.
var subscribes = map[string]func(o rxgo.Observable) <-chan rxgo.Item{
	"Observe":               func(o rxgo.Observable) <-chan rxgo.Item { return o.Observe() },
	"Observe with a buffer": func(o rxgo.Observable) <-chan rxgo.Item { return o.Observe(rxgo.WithBufferedChannel(3)) },
	"Observe with a context": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.Observe(rxgo.WithContext(context.WithValue(context.Background(), rxgo.Item{}, 1)))
	},
	"ForEach": func(o rxgo.Observable) <-chan rxgo.Item {
		return called(func(next rxgo.NextFunc, end func()) { o.ForEach(next, func(error) {}, end) })
	},
	"DoOnNext": func(o rxgo.Observable) <-chan rxgo.Item {
		return called(func(next rxgo.NextFunc, end func()) {
			done := o.DoOnNext(next)
			go func() { <-done; end() }()
		})
	},
	"Send": func(o rxgo.Observable) <-chan rxgo.Item {
		out := make(chan rxgo.Item)
		o.Send(out)
		return out
	},
	"Items": func(o rxgo.Observable) <-chan rxgo.Item {
		items := hot.Items(context.Background(), o)
		return called(func(next rxgo.NextFunc, end func()) {
			go func() {
				for item := range items {
					next(item.V)
				}
				end()
			}()
		})
	},
	"Filter":  func(o rxgo.Observable) <-chan rxgo.Item { return o.Filter(all).Observe() },
	"Map":     func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(same).Observe() },
	"FlatMap": func(o rxgo.Observable) <-chan rxgo.Item { return o.FlatMap(just).Observe() },
	"Take":    func(o rxgo.Observable) <-chan rxgo.Item { return o.Take(1).Observe() },
	"Scan":    func(o rxgo.Observable) <-chan rxgo.Item { return o.Scan(sum).Observe() },
	"First":   func(o rxgo.Observable) <-chan rxgo.Item { return o.First().Observe() },
	"Last":    func(o rxgo.Observable) <-chan rxgo.Item { return o.Last().Observe() },
	"Filter with a pool": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.Filter(all, rxgo.WithPool(2)).Observe()
	},
	"Map, eager": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.Map(same, rxgo.WithObservationStrategy(rxgo.Eager)).Observe()
	},
	"Retry": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.Retry(1, func(error) bool { return true }).Observe()
	},
	"StartWith": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.StartWith(rxgo.Empty()).Observe()
	},
	"BufferWithTime": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.BufferWithTime(rxgo.WithDuration(time.Second)).FlatMap(func(i rxgo.Item) rxgo.Observable {
			return rxgo.Just(i.V)()
		}).Observe()
	},
	"a chain of all kinds": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.Filter(all).Scan(sum).Map(same).Distinct(same).FlatMap(just).TakeWhile(all).Skip(0).Observe()
	},
}

// called is a channel of what a subscriber's callbacks get.
func called(subscribe func(next rxgo.NextFunc, end func())) <-chan rxgo.Item {
	out := make(chan rxgo.Item, 8)
	subscribe(func(v any) { out <- rxgo.Of(v) }, func() { close(out) })
	return out
}

func TestNothingPublishedAfterSubscribingIsMissed(t *testing.T) {
	for name, subscribe := range subscribes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where a miss is a deadlock, seen at once
				for range 1000 {
					s := hot.NewSubject()
					ch := subscribe(s.Observable())
					if took := s.Publish(7); took != 1 {
						t.Fatalf("%d queues took the item, want 1", took)
					}
					s.Complete()
					equal(t, drain(ch), []any{7})
				}
			})
		})
	}
}

// The second source of an operator is subscribed together with the first.
func TestTheSecondSourceIsSubscribedTooWhenObserveReturns(t *testing.T) {
	add := func(ctx context.Context, a, b any) (any, error) { return sum(ctx, a, b) }
	epoch := func(any) time.Time { return time.Time{} }
	for name, combine := range map[string]func(a, b rxgo.Observable) rxgo.Observable{
		"ZipFromIterable": func(a, b rxgo.Observable) rxgo.Observable { return a.ZipFromIterable(b, add) },
		"Join": func(a, b rxgo.Observable) rxgo.Observable {
			return a.Join(add, b, epoch, rxgo.WithDuration(time.Hour))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 100 {
					a, b := hot.NewSubject(), hot.NewSubject()
					ctx, cancel := context.WithCancel(t.Context())
					ch := combine(a.Observable(), b.Observable()).Observe(rxgo.WithContext(ctx))
					b.Publish(30)
					a.Publish(12)
					equal(t, read(ch, 1), []any{42})
					cancel()
					synctest.Wait()
					if a.Subscribers() != 0 || b.Subscribers() != 0 {
						t.Fatalf("%d and %d subscribers are left", a.Subscribers(), b.Subscribers())
					}
				}
			})
		})
	}
}
