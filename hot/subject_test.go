package hot_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// What a Subject does with a queue, a newcomer and an end is in the model's
// test; here is what surrounds it.

func TestAQueueOfNoItemsIsRefused(t *testing.T) {
	defer func() {
		equal(t, recover(), any("hot: a queue must hold at least 1 item, got 0"))
	}()
	hot.NewSubject(hot.WithQueue(0))
}

func TestEveryoneSeesTheSameOrder(t *testing.T) {
	s := hot.NewSubject(hot.WithQueue(4000))
	a, b := s.Observable().Observe(), s.Observable().Filter(all).Observe()
	var publishers sync.WaitGroup
	for p := range 4 {
		publishers.Go(func() { publish(s, p*1000+1, p*1000+1000) })
	}
	publishers.Wait()
	s.Complete()
	seen := drain(a)
	equal(t, len(seen), 4000)
	equal(t, drain(b), seen)
}

// A subscriber that stops reading, or whose callback never returns, costs the
// publisher and the others nothing.
func TestNobodyWaitsForAStalledSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject(hot.WithQueue(2))
		s.Observable().Observe()
		s.Observable().Map(same).Observe()
		stuck := make(chan struct{})
		done := s.Observable().ForEach(func(any) { <-stuck }, func(error) {}, func() {})
		live := s.Observable().Observe()
		for i := range 100 {
			s.Publish(i)
			equal(t, read(live, 1), []any{i})
		}
		s.Complete()
		synctest.Wait()
		equal(t, goroutines(), 1) // the one in the callback
		close(stuck)
		<-done
	})
}

// A reader that has gone without a word looks like a slow one: what
// the channel has room for is there for it, and nothing waits.
func TestAnAbandonedChannelKeepsNoGoroutineAfterTheEnd(t *testing.T) {
	for name, chain := range map[string]func(o rxgo.Observable) rxgo.Observable{
		"of the Subject":    func(o rxgo.Observable) rxgo.Observable { return o },
		"of fused stages":   func(o rxgo.Observable) rxgo.Observable { return o.Filter(all).Map(same) },
		"of RxGo's own":     func(o rxgo.Observable) rxgo.Observable { return o.Scan(sum).Distinct(same) },
		"of RxGo's, pooled": func(o rxgo.Observable) rxgo.Observable { return o.Map(same, rxgo.WithPool(3)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject(hot.WithQueue(10))
				ch := chain(s.Observable()).Observe()
				publish(s, 1, 100)
				synctest.Wait()
				s.Fail(errors.New("over"))
				synctest.Wait()
				equal(t, goroutines(), 0)
				left := drain(ch)
				equal(t, len(left), 10)
				equal(t, left[9], any("over")) // the end is not to be missed
			})
		})
	}
}

func TestCallbacksMayUseTheSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject(hot.WithQueue(1), hot.WithDropped(nil))
		var later <-chan rxgo.Item
		done := s.Observable().ForEach(func(v any) {
			switch v {
			case 1:
				later = s.Observable().Observe()
				s.Publish(2)
			case 2:
				s.Complete()
			}
		}, func(error) {}, func() {})
		s.Publish(1)
		<-done
		equal(t, drain(later), []any{2})
	})
}

func TestTheDroppedHookMayUseTheSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dropped []any
		var s *hot.Subject
		s = hot.NewSubject(hot.WithQueue(1), hot.WithDropped(func(v any) {
			dropped = append(dropped, v)
			s.Subscribers()
			if v == 2 {
				s.Publish(3)
				s.Complete()
			}
		}))
		ch := s.Observable().Observe()
		s.Publish(1)
		s.Publish(2)
		equal(t, drain(ch), []any{1})
		equal(t, dropped, []any{2, 3})
	})
}

func TestACallbackThatLeavesByGoexitHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dropped []any
		s := hot.NewSubject(hot.WithDropped(func(v any) { dropped = append(dropped, v) }))
		wait := make(chan struct{})
		done := s.Observable().Filter(all).DoOnNext(func(any) { <-wait; runtime.Goexit() })
		publish(s, 1, 3)
		close(wait)
		<-done
		equal(t, s.Subscribers(), 0)
		equal(t, dropped, numbers(2, 3))
	})
}

func TestALeaverIsToldAsDroppedWhatItLeft(t *testing.T) {
	for name, observe := range map[string]func(o rxgo.Observable, ctx context.Context) <-chan rxgo.Item{
		"of the Subject": func(o rxgo.Observable, ctx context.Context) <-chan rxgo.Item {
			return o.Observe(rxgo.WithContext(ctx))
		},
		"of a chain": func(o rxgo.Observable, ctx context.Context) <-chan rxgo.Item {
			return o.Filter(all).Take(100).Observe(rxgo.WithContext(ctx))
		},
		"of a chain, its context in the middle": func(o rxgo.Observable, ctx context.Context) <-chan rxgo.Item {
			return o.Skip(0, rxgo.WithContext(ctx)).Filter(all).Observe()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dropped []any
				s := hot.NewSubject(hot.WithDropped(func(v any) { dropped = append(dropped, v) }))
				ctx, cancel := context.WithCancelCause(context.Background())
				ch := observe(s.Observable(), ctx)
				publish(s, 1, 5)
				equal(t, read(ch, 2), numbers(1, 2))
				synctest.Wait()
				cancel(errors.New("enough"))
				synctest.Wait()
				equal(t, dropped, numbers(3, 5))
				equal(t, drain(ch), []any(nil))
				equal(t, s.Subscribers(), 0)
			})
		})
	}
}

func TestAnEndedContextSubscribesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dropped []any
		s := hot.NewSubject(hot.WithLatest(), hot.WithDropped(func(v any) { dropped = append(dropped, v) }))
		s.Publish(1)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		equal(t, drain(s.Observable().Observe(rxgo.WithContext(ctx))), []any(nil))
		equal(t, drain(s.Observable().Scan(sum).Observe(rxgo.WithContext(ctx))), []any(nil))
		<-s.Observable().ForEach(func(v any) { t.Errorf("got %v", v) }, nil, func() {}, rxgo.WithContext(ctx))
		synctest.Wait()
		equal(t, dropped, []any(nil)) // nothing was meant for them
		equal(t, s.Subscribers(), 0)
	})
}

func TestUpdate(t *testing.T) {
	s := hot.NewSubject(hot.WithLatest())
	update := func(wantHeard bool, v any, publish bool) {
		t.Helper()
		ran := false
		s.Update(func(heard bool) (any, bool) {
			ran = true
			equal(t, heard, wantHeard)
			return v, publish
		})
		equal(t, ran, true)
	}
	update(false, 1, true)
	ch := s.Observable().Observe()
	update(true, 2, true)
	update(true, 3, false)
	s.Complete()
	update(false, 4, true)
	equal(t, drain(ch), numbers(1, 2))
}

// A newcomer has the state either before or after, and every change since.
func TestNobodySubscribesWithinAnUpdate(t *testing.T) {
	const changes = 2000
	state := 0
	s := hot.NewSubject(hot.WithGrowingQueue(), hot.WithFirst(func() iter.Seq[any] {
		return slices.Values([]any{state})
	}))
	var group sync.WaitGroup
	group.Go(func() {
		for range changes {
			s.Update(func(bool) (any, bool) { state++; return state, true })
			runtime.Gosched()
		}
		s.Complete()
	})
	for range 50 {
		seen := drain(s.Observable().Observe())
		equal(t, seen, numbers(seen[0].(int), changes))
	}
	group.Wait()
}

// The owner is found through stages.
func TestOwner(t *testing.T) {
	s := hot.NewSubject(hot.WithOwner("me"))
	o := s.Observable()
	equal(t, hot.Owner(o), any("me"))
	equal(t, hot.Owner(o.Filter(all).Take(3)), any("me"))
	equal(t, hot.Owner(hot.NewSubject().Observable()), nil)
	equal(t, hot.Owner(rxgo.Empty()), nil)
}
