package hot_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// counting is a source that counts its subscriptions and their ends.
func counting(begun, released *int, lost func(any), opts ...rxgo.Option) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		*begun++
		return func(yield func(rxgo.Item) bool) {
			defer func() { *released++ }()
			for i := 1; ctx.Err() == nil && yield(rxgo.Of(i)); i++ {
			}
		}
	}, lost, opts...)
}

func TestEachSubscriptionIsMadeAtOnceAndReleasedOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, use := range map[string]func(t *testing.T, o rxgo.Observable){
		"Take":  func(t *testing.T, o rxgo.Observable) { equal(t, drain(o.Take(3).Observe()), numbers(1, 3)) },
		"First": func(t *testing.T, o rxgo.Observable) { equal(t, drain(o.First().Observe()), numbers(1, 1)) },
		"Items": func(t *testing.T, o rxgo.Observable) {
			for item := range hot.Items(t.Context(), o) {
				equal(t, item.V, any(1))
				break
			}
		},
		"RxGo's own, which ends early": func(t *testing.T, o rxgo.Observable) {
			equal(t, drain(o.ElementAt(2).Observe()), numbers(3, 3))
		},
		"RxGo's own, which is left": func(t *testing.T, o rxgo.Observable) {
			equal(t, drain(o.Scan(sum).Take(2).Observe()), []any{1, 3})
		},
		"an ended context": func(t *testing.T, o rxgo.Observable) {
			equal(t, drain(o.Observe(rxgo.WithContext(ctx))), []any(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, released := 0, 0
				o := counting(&begun, &released, nil)
				equal(t, begun, 0)
				use(t, o)
				synctest.Wait()
				equal(t, []int{begun, released}, []int{1, 1})
			})
		})
	}
}

func TestASourceGetsBackWhatNobodyTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost []any
		begun, released := 0, 0
		o := counting(&begun, &released, func(v any) { lost = append(lost, v) })
		ctx, cancel := context.WithCancel(t.Context())
		ch := o.Filter(all).Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(3))
		equal(t, read(ch, 2), numbers(1, 2))
		synctest.Wait()
		cancel()
		synctest.Wait()
		equal(t, lost, []any{6, 3, 4, 5}) // the one in hand, then what the channel held
		equal(t, released, 1)
	})
}

func TestCreatesOptionsAreDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, released := 0, 0
		ctx, cancel := context.WithCancel(t.Context())
		o := counting(&begun, &released, nil, rxgo.WithContext(ctx), rxgo.WithBufferedChannel(2))
		byDefault := o.Observe()
		own, leave := context.WithCancel(t.Context())
		stays := o.Observe(rxgo.WithContext(own))
		cancel()
		synctest.Wait()
		equal(t, drain(byDefault), []any(nil))
		equal(t, read(stays, 3), numbers(1, 3))
		leave()
		synctest.Wait()
		equal(t, released, 2)
	})
}

func TestItemsOfAnySource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		for item := range hot.Items(t.Context(), rxgo.Just(1, 2, 3)()) {
			got = append(got, item.V)
		}
		equal(t, got, numbers(1, 3))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for item := range hot.Items(ctx, rxgo.Never()) { // which ignores its context
			t.Fatalf("got %v", item)
		}
		equal(t, drain(hot.Observe(ctx, rxgo.Never())), []any(nil))
	})
}

func TestLatest(t *testing.T) {
	for name, of := range map[string]func(s *hot.Subject) rxgo.Observable{
		"of a Subject": func(s *hot.Subject) rxgo.Observable { return s.Observable() },
		"of a chain":   func(s *hot.Subject) rxgo.Observable { return s.Observable().Filter(all) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject(hot.WithQueue(64))
				latest, leave := hot.Latest(t.Context(), of(s))
				_, some := latest()
				equal(t, some, false)
				for round := range 3 {
					publish(s, 1, 60+10*round) // within the queue, and beyond
					synctest.Wait()
					item, _ := latest()
					if name == "of a Subject" || round == 0 {
						equal(t, item.V, any(60+10*round))
					}
				}
				leave()
				equal(t, s.Subscribers(), 0)
				_, some = latest()
				equal(t, some, true)
			})
		})
	}
}
