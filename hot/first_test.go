package hot_test

import (
	"errors"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

func TestWithFirst(t *testing.T) {
	for name, c := range map[string]struct {
		opts []hot.SubjectOption
		read []rxgo.Option
		end  error
		want []any
	}{
		"as many as there is room for": {nil, nil, nil, numbers(1, 3)},
		"a rule that drops the oldest": {[]hot.SubjectOption{hot.WithOverflow(hot.DropOldest)}, nil, nil, numbers(1, 3)},
		"a buffer of the subscriber's": {nil, []rxgo.Option{rxgo.WithBufferedChannel(5)}, nil, numbers(1, 5)},
		"a queue that grows has all":   {[]hot.SubjectOption{hot.WithGrowingQueue()}, nil, nil, numbers(1, 9)},
		"an error has its room":        {nil, nil, errors.New("failed"), append(numbers(1, 2), "failed")},
		"an error and room for it only": {nil, []rxgo.Option{rxgo.WithBufferedChannel(1)}, errors.New("failed"),
			[]any{"failed"}},
		"an error in a queue that grows": {[]hot.SubjectOption{hot.WithGrowingQueue()}, []rxgo.Option{rxgo.WithBufferedChannel(1)},
			errors.New("failed"), append(numbers(1, 9), "failed")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				copies := 0
				lose := func(v any) { t.Errorf("lost %v", v) }
				s := hot.NewSubject(append(c.opts, hot.WithQueue(3), hot.WithDropped(lose), hot.WithOverflowed(lose),
					hot.WithEach(func(v any) any { copies++; return v }),
					hot.WithFirst(func() iter.Seq[any] { return slices.Values(numbers(1, 9)) }))...)
				s.Publish(0) // is not kept
				if c.end != nil {
					s.Fail(c.end)
				}
				ch := s.Observable().Observe(c.read...)
				s.Complete()
				equal(t, drain(ch), c.want)
				values := len(c.want)
				if c.end != nil {
					values--
				}
				equal(t, copies, values)
			})
		})
	}
}

func TestWhatANewcomerGetsFirstIsTheLastOptions(t *testing.T) {
	first := hot.WithFirst(func() iter.Seq[any] { return slices.Values([]any{"first"}) })
	replay, latest := hot.WithReplay(all), hot.WithLatest()
	for name, c := range map[string]struct {
		opts []hot.SubjectOption
		want []any
	}{
		"first":  {[]hot.SubjectOption{latest, replay, first}, []any{"first"}},
		"replay": {[]hot.SubjectOption{first, latest, replay}, numbers(1, 2)},
		"latest": {[]hot.SubjectOption{first, replay, latest}, numbers(2, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			s := hot.NewSubject(c.opts...)
			publish(s, 1, 2)
			s.Complete()
			equal(t, drain(s.Observable().Observe()), c.want)
		})
	}
}
