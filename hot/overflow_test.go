package hot_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// losses are what a Subject's hooks got, by cause.
type losses struct{ Overflowed, Dropped []any }

func (l *losses) hooks() []hot.SubjectOption {
	var mu sync.Mutex
	into := func(all *[]any) func(any) {
		return func(v any) {
			mu.Lock()
			defer mu.Unlock()
			*all = append(*all, v)
		}
	}
	return []hot.SubjectOption{hot.WithOverflowed(into(&l.Overflowed)), hot.WithDropped(into(&l.Dropped))}
}

func TestLossesHaveTheirCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost losses
		s := hot.NewSubject(append(lost.hooks(), hot.WithQueue(3))...)
		ctx, cancel := context.WithCancel(t.Context())
		s.Observable().Observe(rxgo.WithContext(ctx))
		publish(s, 1, 5)
		equal(t, lost, losses{Overflowed: numbers(4, 5)})
		cancel()
		synctest.Wait()
		equal(t, lost, losses{Overflowed: numbers(4, 5), Dropped: numbers(1, 3)})

		ch := s.Observable().Observe()
		publish(s, 1, 3)
		s.Fail(errors.New("failed")) // takes the place of the oldest
		equal(t, drain(ch), []any{2, 3, "failed"})
		equal(t, lost, losses{Overflowed: append(numbers(4, 5), 1), Dropped: numbers(1, 3)})
	})
}

func TestAReplayThatHasNoRoomOverflows(t *testing.T) {
	var lost losses
	s := hot.NewSubject(append(lost.hooks(), hot.WithReplay(all), hot.WithQueue(2))...)
	publish(s, 1, 3)
	ch := s.Observable().Observe()
	s.Complete()
	equal(t, drain(ch), numbers(1, 2))
	equal(t, lost, losses{Overflowed: numbers(3, 3)})
}

func TestWithoutAnOverflowHookTheOtherGetsAll(t *testing.T) {
	var lost losses
	s := hot.NewSubject(lost.hooks()[1], hot.WithQueue(2))
	s.Observable().Observe()
	publish(s, 1, 3)
	s.Fail(errors.New("failed"))
	equal(t, lost, losses{Dropped: []any{3, 1}})
}

// Whatever stages a value passed: what was published is delivered, or has
// overflowed, or its subscriber has left.
func TestNothingVanishesAtTheEndBehindFusedStages(t *testing.T) {
	double := func(_ context.Context, v any) (any, error) { return 2 * v.(int), nil }
	for name, c := range map[string]struct {
		chain func(o rxgo.Observable) rxgo.Observable
		value int // what is made of 1
	}{
		"none":            {func(o rxgo.Observable) rxgo.Observable { return o }, 1},
		"Filter":          {func(o rxgo.Observable) rxgo.Observable { return o.Filter(all) }, 1},
		"Skip, TakeWhile": {func(o rxgo.Observable) rxgo.Observable { return o.Skip(0).TakeWhile(all) }, 1},
		"Map":             {func(o rxgo.Observable) rxgo.Observable { return o.Map(double) }, 2},
		"Filter, Map, Map, Take": {func(o rxgo.Observable) rxgo.Observable {
			return o.Filter(all).Map(double).Map(double).Take(1 << 20)
		}, 4},
	} {
		for how, end := range map[string]error{"completes": nil, "fails": errors.New("failed")} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const published = 100
					var lost losses
					s := hot.NewSubject(append(lost.hooks(), hot.WithQueue(4))...)
					ch := c.chain(s.Observable()).Observe()
					for i := range published {
						s.Publish(i + 1)
						if i%7 == 0 {
							synctest.Wait()
						}
					}
					s.Fail(end)
					synctest.Wait()
					delivered := drain(ch)
					if end != nil {
						equal(t, delivered[len(delivered)-1], any("failed"))
						delivered = delivered[:len(delivered)-1]
					}
					equal(t, len(delivered)+len(lost.Overflowed), published)
					equal(t, len(lost.Dropped), 0)
					for _, v := range delivered {
						equal(t, v.(int)%c.value, 0)
					}
				})
			})
		}
	}
}
