package hot_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// The source waits for its slowest subscriber, and loses nothing; without, its queue
// overflows.
func TestShareLossless(t *testing.T) {
	for range 20 {
		all, err := hot.ShareAs(rxgo.Range(0, 1000), hot.Sharing{Lossless: true}, nil).ToSlice(0)
		if err != nil || len(all) != 1000 {
			t.Fatalf("%d of 1000, %v", len(all), err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		emitted := 0
		source := hot.FromSeq(func(yield func(int) bool) {
			for emitted < 1000 && yield(emitted) {
				emitted++
			}
		})
		shared := hot.ShareAs(source, hot.Sharing{Lossless: true}, nil, hot.WithQueue(5))
		ctx, leave := context.WithCancel(t.Context())
		stuck := make(chan struct{})
		slow := shared.ForEach(func(any) { <-stuck }, nil, func() {}, rxgo.WithContext(ctx))
		seen := 0
		quick := shared.ForEach(func(any) { seen++ }, nil, func() {})
		synctest.Wait()
		if emitted > 8 {
			t.Errorf("%d emitted although one has taken one and has room for 5", emitted)
		}
		leave() // nobody has to wait for it any more
		<-quick
		if seen < 990 {
			t.Errorf("the other one has seen %d of 1000", seen)
		}
		close(stuck)
		<-slow
		synctest.Wait()
		equal(t, goroutines(), 0)
	})
}

func TestShareReplaysAndResets(t *testing.T) {
	failed := errors.New("failed")
	for name, test := range map[string]struct {
		how         hot.Sharing
		end         error
		late, after []any // what who comes after 1, 2, 3 gets, and who comes after 4 and the end
		made        int   // subscriptions to the source
	}{
		"none":                  {hot.Sharing{}, nil, []any{4}, nil, 2},
		"replay":                {hot.Sharing{Replay: 2}, nil, []any{2, 3, 4}, nil, 2},
		"replay, the end":       {hot.Sharing{Replay: 2, KeepEnd: true}, nil, []any{2, 3, 4}, []any{3, 4}, 1},
		"replay, the error":     {hot.Sharing{Replay: 1, KeepError: true}, failed, []any{3, 4, "failed"}, []any{4, "failed"}, 1},
		"the end, not an error": {hot.Sharing{Replay: 1, KeepEnd: true}, failed, []any{3, 4, "failed"}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				made := []*hot.Subject{}
				ctx, cancel := context.WithCancel(t.Context())
				source := hot.Using(func(context.Context) (rxgo.Observable, func()) {
					made = append(made, hot.NewSubject())
					return made[len(made)-1].Observable(), func() {}
				})
				shared := hot.ShareAs(source, test.how, nil)
				first := shared.Observe()
				publish(made[0], 1, 3)
				synctest.Wait()
				late := shared.Observe()
				made[0].Publish(4)
				made[0].Fail(test.end)
				equal(t, len(drain(first)) >= 4, true)
				equal(t, drain(late), test.late)
				after := shared.Observe(rxgo.WithContext(ctx))
				equal(t, len(made), test.made)
				if test.made == 1 {
					equal(t, drain(after), test.after)
				}
				cancel()
			})
		})
	}
}

func TestShareStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		shared := hot.ShareAs(s.Observable(), hot.Sharing{Replay: 1, Stay: true}, nil)
		ctx, leave := context.WithCancel(t.Context())
		gone := shared.Run(rxgo.WithContext(ctx))
		leave()
		<-gone
		s.Publish(7)
		synctest.Wait()
		equal(t, s.Subscribers(), 1)
		ch := shared.Observe()
		s.Complete()
		equal(t, drain(ch), []any{7})
		synctest.Wait()
		equal(t, goroutines(), 0)
	})
}

// What an operator keeps for later still counts in its source's queue, by whose rule
// it is given up, and goes to the hook when its subscriber leaves.
func TestABacklogIsItsSourcesQueue(t *testing.T) {
	for name, test := range map[string]struct {
		rule        hot.Overflow
		seen, given []any
	}{
		"DropNewest": {hot.DropNewest, []any{1, 2, 3}, []any{4, 5}},
		"DropOldest": {hot.DropOldest, []any{1, 4, 5}, []any{2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var given, seen []any
				s := hot.NewSubject(hot.WithQueue(2), hot.WithOverflow(test.rule), hot.WithDropped(func(v any) { given = append(given, v) }))
				done := s.Observable().Filter(all).FlatMap(func(i rxgo.Item) rxgo.Observable {
					return hot.Delay(hot.FromSeq(slices.Values([]any{i.V})), time.Second)
				}).ForEach(func(v any) { seen = append(seen, v) }, nil, func() {})
				for i := range 5 {
					s.Publish(i + 1)
					synctest.Wait()
				}
				s.Complete()
				<-done
				equal(t, seen, test.seen)
				equal(t, given, test.given)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var given []any
		s := hot.NewSubject(hot.WithDropped(func(v any) { given = append(given, v) }))
		ctx, cancel := context.WithCancel(t.Context())
		done := s.Observable().FlatMap(func(rxgo.Item) rxgo.Observable { return rxgo.Never() }).Run(rxgo.WithContext(ctx))
		publish(s, 1, 3)
		synctest.Wait()
		cancel()
		<-done
		equal(t, given, numbers(2, 3))
	})
}
