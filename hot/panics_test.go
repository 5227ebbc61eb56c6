package hot_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// User code runs under the Subject's lock in WithEach, WithReplay, WithFirst
// and Update. A panic there is the caller's; the Subject goes on.

func bad(v any) any {
	if v == "bad" {
		panic(v)
	}
	return v
}

// panics calls f, which must panic with "bad".
func panics(t *testing.T, f func()) {
	t.Helper()
	defer func() { t.Helper(); equal(t, recover(), any("bad")) }()
	f()
}

func TestAPanicUnderTheLockLocksNobodyOut(t *testing.T) {
	once := true
	for name, c := range map[string]struct {
		opt  hot.SubjectOption
		call func(s *hot.Subject)
	}{
		"WithEach": {hot.WithEach(bad), func(s *hot.Subject) { s.Publish("bad") }},
		"WithReplay": {hot.WithReplay(func(v any) bool {
			if once {
				once = false
				bad(v)
			}
			return true
		}), func(s *hot.Subject) { s.Publish("bad") }},
		"Update": {nil, func(s *hot.Subject) { s.Update(func(bool) (any, bool) { return bad("bad"), true }) }},
		"WithEach in Update": {hot.WithEach(bad), func(s *hot.Subject) {
			s.Update(func(bool) (any, bool) { return "bad", true })
		}},
		"WithDropped": {hot.WithDropped(func(v any) { bad(v) }), func(s *hot.Subject) {
			s.Publish("fills the queue")
			s.Publish("bad")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			opts := []hot.SubjectOption{hot.WithQueue(1)}
			if c.opt != nil {
				opts = append(opts, c.opt)
			}
			s := hot.NewSubject(opts...)
			big := s.Observable().Observe(rxgo.WithBufferedChannel(9))
			s.Observable().Observe()
			panics(t, func() { c.call(s) })
			s.Observable().Observe(rxgo.WithBufferedChannel(9))
			s.Publish("good")
			s.Complete()
			got := drain(big)
			equal(t, got[len(got)-1], any("good"))
		})
	}
}

// What a queue gave up before the panic is not hidden by it.
func TestAPanicHidesNoLoss(t *testing.T) {
	var lost losses
	copies := 0
	s := hot.NewSubject(append(lost.hooks(), hot.WithQueue(1), hot.WithEach(func(v any) any {
		if copies++; copies == 4 {
			return bad("bad")
		}
		return copies
	}))...)
	s.Observable().Observe()
	s.Observable().Observe()
	s.Publish(0)
	panics(t, func() { s.Publish(0) })
	equal(t, lost, losses{Overflowed: []any{3}})
}

// A newcomer that panicked is not there, and what was meant for it is dropped.
func TestAPanicForANewcomer(t *testing.T) {
	values := []any{1, "bad", 2}
	for name, opts := range map[string][]hot.SubjectOption{
		"WithFirst": {hot.WithFirst(func() iter.Seq[any] {
			return func(yield func(any) bool) {
				for _, v := range values {
					yield(bad(v))
				}
			}
		})},
		"WithEach": {hot.WithEach(bad), hot.WithFirst(func() iter.Seq[any] { return slices.Values(values) })},
	} {
		t.Run(name, func(t *testing.T) {
			var lost losses
			s := hot.NewSubject(append(opts, lost.hooks()...)...)
			panics(t, func() { s.Observable().Observe() })
			equal(t, s.Subscribers(), 0)
			equal(t, lost, losses{Dropped: []any{1}})
			values = []any{1, 2}
			defer func() { values = []any{1, "bad", 2} }()
			ch := s.Observable().Observe()
			s.Publish(3)
			s.Complete()
			equal(t, drain(ch), numbers(1, 3))
		})
	}
}

// keep panics between values that are over: the others stay, in their order.
func TestAPanicInASweep(t *testing.T) {
	dead, panicking := map[any]bool{}, false
	s := hot.NewSubject(hot.WithReplay(func(v any) bool {
		if panicking && v == 3 {
			panic("bad")
		}
		return !dead[v]
	}))
	publish(s, 1, 3) // the next one sweeps
	dead[1], panicking = true, true
	panics(t, func() { publish(s, 4, 8) })
	panicking = false
	s.Complete()
	got := drain(s.Observable().Observe())
	equal(t, got[:2], numbers(2, 3))
	if !slices.IsSortedFunc(got, compare) || len(slices.Compact(got)) != len(got) {
		t.Errorf("got %v", got)
	}
}

// broken is a source that panics when it is subscribed to, while its pointer
// says so.
func broken(source rxgo.Observable, now *bool) map[string]rxgo.Observable {
	return map[string]rxgo.Observable{
		"Create": hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
			if *now {
				panic("bad")
			}
			return hot.Items(ctx, source)
		}, nil),
		"Observe": foreign{source, now},
	}
}

type foreign struct {
	rxgo.Observable
	broken *bool
}

func (f foreign) Observe(opts ...rxgo.Option) <-chan rxgo.Item {
	if *f.broken {
		panic("bad")
	}
	return f.Observable.Observe(opts...)
}

func TestShareStartsAnewAfterAPanicOfItsSource(t *testing.T) {
	for _, name := range []string{"Create", "Observe"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, now := hot.NewSubject(), true
				shared := hot.Share(broken(source.Observable(), &now)[name], nil)
				panics(t, func() { shared.Observe() })
				panics(t, func() { shared.Observe() })
				now = false
				ch := shared.Observe()
				source.Publish(1)
				source.Complete()
				equal(t, drain(ch), []any{1})
				synctest.Wait()
				equal(t, goroutines(), 0)
			})
		})
	}
}

// What was subscribed to before the panic is left.
func TestAPanicLeavesNoSubscriptionBehind(t *testing.T) {
	half := func(s *hot.Subject) rxgo.Observable {
		return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
			hot.Items(ctx, s.Observable())
			panic("bad")
		}, nil)
	}
	for name, chain := range map[string]func(s *hot.Subject) rxgo.Observable{
		"Share":     func(s *hot.Subject) rxgo.Observable { return hot.Share(half(s), nil) },
		"RxGo's":    func(s *hot.Subject) rxgo.Observable { return half(s).Scan(sum) },
		"a foreign": func(s *hot.Subject) rxgo.Observable { return hot.Share(halfObserved{s: s}, nil) },
		"the other source": func(s *hot.Subject) rxgo.Observable {
			return s.Observable().Scan(func(context.Context, any, any) (any, error) { return nil, nil }).Sample(half(s))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject()
				panics(t, func() { chain(s).Observe() })
				synctest.Wait()
				equal(t, s.Subscribers(), 0)
				equal(t, goroutines(), 0)
			})
		})
	}
}

type halfObserved struct {
	rxgo.Observable
	s *hot.Subject
}

func (h halfObserved) Observe(opts ...rxgo.Option) <-chan rxgo.Item {
	h.s.Observable().Filter(all).Observe(opts...)
	panic("bad")
}

// The panic comes when the first subscriber, or a later one, joins.
func TestShareAfterAPanicOfANewcomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, broken := hot.NewSubject(), true
		shared := hot.Share(source.Observable(), nil, hot.WithFirst(func() iter.Seq[any] {
			if broken {
				panic("bad")
			}
			return slices.Values([]any{0})
		}))
		panics(t, func() { shared.Observe() })
		synctest.Wait()
		equal(t, source.Subscribers(), 0)
		equal(t, goroutines(), 0)

		broken = false
		ctx, cancel := context.WithCancel(t.Context())
		ch := shared.Observe(rxgo.WithContext(ctx))
		broken = true
		panics(t, func() { shared.Observe() })
		source.Publish(1)
		equal(t, read(ch, 2), numbers(0, 1))
		cancel()
		synctest.Wait()
		equal(t, source.Subscribers(), 0)
		equal(t, goroutines(), 0)
	})
}

// A hook of Share's Subject runs outside all locks.
func TestAHookMayUseShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := hot.NewSubject()
		var shared rxgo.Observable
		var within []<-chan rxgo.Item
		shared = hot.Share(source.Observable(), nil, hot.WithQueue(1), hot.WithReplay(all),
			hot.WithOverflowed(func(v any) {
				if len(within) == 0 {
					within = append(within, nil)
					within = append(within, shared.Observe())
				}
			}))
		a := shared.Observe(rxgo.WithBufferedChannel(9))
		publish(source, 1, 2)
		synctest.Wait()
		b := shared.Observe() // whose replay overflows
		source.Complete()
		equal(t, drain(a), numbers(1, 2))
		equal(t, drain(b), numbers(1, 1))
		equal(t, drain(within[1]), numbers(1, 1))
	})
}
