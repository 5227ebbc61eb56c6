package hot_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// Who leaves within its own callback gets nothing more, though the queue holds
// more and the watch over the context may not have noticed yet.
func TestWhoHasLeftGetsNothingMore(t *testing.T) {
	for name, run := range map[string]func(ctx context.Context, o rxgo.Observable, next func(any)) <-chan struct{}{
		"ForEach": func(ctx context.Context, o rxgo.Observable, next func(any)) <-chan struct{} {
			return o.ForEach(next, func(error) {}, func() {}, rxgo.WithContext(ctx))
		},
		"behind a Filter": func(ctx context.Context, o rxgo.Observable, next func(any)) <-chan struct{} {
			return o.Filter(all).DoOnNext(next, rxgo.WithContext(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 1000 {
					s := hot.NewSubject()
					ctx, cancel := context.WithCancel(t.Context())
					wait, got := make(chan struct{}), 0
					done := run(ctx, s.Observable(), func(any) { <-wait; got++; cancel() })
					publish(s, 1, 3)
					close(wait)
					<-done
					equal(t, got, 1)
				}
			})
		})
	}
}

// A source of RxGo's that is blocked in a bare send looks at its context again.
func TestABlockedSourceIsReleased(t *testing.T) {
	for name, leave := range map[string]func(items iter.Seq[rxgo.Item], cancel func()){
		"by breaking off": func(items iter.Seq[rxgo.Item], _ func()) {
			for range items {
				synctest.Wait() // it is blocked
				break
			}
		},
		"by the context": func(items iter.Seq[rxgo.Item], cancel func()) {
			for range items {
				synctest.Wait()
				cancel()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan struct{})
				source := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
					defer close(ended)
					for i := 1; ctx.Err() == nil; i++ {
						next <- rxgo.Of(i)
					}
				}})
				leave(hot.Items(ctx, source), cancel)
				<-ended
				synctest.Wait()
				equal(t, goroutines(), 0)
			})
		})
	}
}

// A source that ignores its context and never emits keeps nobody.
func TestAnObserverOfASilentSourceIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := make(chan rxgo.Item)
		ctx, cancel := context.WithCancel(t.Context())
		ch := hot.Observe(ctx, rxgo.FromChannel(silent))
		cancel()
		equal(t, drain(ch), []any(nil))
	})
}

func TestLatestOfASubjectIsSeenByTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject(hot.WithQueue(1))
		latest, leave := hot.Latest(t.Context(), s.Observable())
		_, ok := latest()
		equal(t, ok, false)
		publish(s, 1, 9)
		item, ok := latest()
		equal(t, []any{item.V, ok}, []any{9, true})
		s.Complete()
		item, ok = latest()
		equal(t, []any{item.V, ok}, []any{9, true}) // the last one stays
		leave()
	})
}

func TestLatestBehindAStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		latest, leave := hot.Latest(t.Context(), s.Observable().Filter(all))
		_, ok := latest()
		equal(t, ok, false)
		publish(s, 1, 9)
		synctest.Wait()
		item, ok := latest()
		equal(t, []any{item.V, ok}, []any{9, true})
		leave() // waits for the goroutine
		equal(t, goroutines(), 0)
		equal(t, s.Subscribers(), 0)
	})
}
