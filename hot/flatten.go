package hot

import (
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// The operators that make a source of each value, and those that observe one
// source after the other. An inner source is subscribed on the goroutine of the
// subscription, within the emission that it is made of; project, which makes it,
// must not block: what takes long belongs into the source that it returns. An
// error of the outer source ends all when it comes, behind what inner sources have
// ready, and project never sees it.

// MergeMap observes project(item) for each item of source, at most n of them
// at once (n < 1: no limit), and emits what they emit as it comes. While n are
// observed, items wait in source's queue, and overflow there. It completes when
// all have completed.
func MergeMap(source rxgo.Observable, n int, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return flat(source, n, project, opts)
}

// FlatMap, as in RxGo, observes one inner source after the other.
func (o *observable) FlatMap(apply rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return flat(o, 1, apply, join(o.opts, opts))
}

func flat(source rxgo.Observable, n int, project rxgo.ItemToObservable, opts []rxgo.Option) *observable {
	return combined(opts, func(s *several) {
		later := s.later()
		active, ended := 0, false
		var take func(item rxgo.Item) bool
		take = func(item rxgo.Item) bool {
			if item.Error() {
				return s.fail(item.E)
			}
			active++
			s.add(project(item), s.value, func() {
				active--
				for active < n || n < 1 {
					next, ok := later.next()
					if !ok {
						break
					}
					take(next)
				}
				if ended && active == 0 {
					s.done()
				}
			})
			return true
		}
		s.attach(s.who, source, sink{
			next: func(item rxgo.Item) bool {
				switch {
				case item.Error() && !s.who.goesOn:
					s.who.loop.ready(func() bool { return s.over || active == 0 }, func() { s.fail(item.E) })
					return false
				case n < 1 || active < n:
					return take(item)
				}
				later.add(item)
				return true
			},
			done: func() {
				if ended = true; active == 0 {
					s.done()
				}
			},
		})
	})
}

// SwitchMap observes project(item) for the newest item of source, and leaves the
// one before. It completes when source and the last inner one have.
func SwitchMap(source rxgo.Observable, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return combined(opts, func(s *several) {
		leave, active, ended := func() {}, false, false
		s.add(source, func(v any) bool {
			leave()
			active = true
			leave = s.add(project(rxgo.Of(v)), s.value, func() {
				if active = false; ended {
					s.done()
				}
			})
			return true
		}, func() {
			if ended = true; !active {
				s.done()
			}
		})
	})
}

// ExhaustMap observes project(item), and skips the items of source that come until
// that has completed.
func ExhaustMap(source rxgo.Observable, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return combined(opts, func(s *several) {
		active, ended := false, false
		s.add(source, func(v any) bool {
			if active {
				s.skip(v)
				return true
			}
			active = true
			s.add(project(rxgo.Of(v)), s.value, func() {
				if active = false; ended {
					s.done()
				}
			})
			return true
		}, func() {
			if ended = true; !active {
				s.done()
			}
		})
	})
}

// Concat observes one source after the other, each when the one before has
// completed. What a hot one emits before its turn is missed.
func Concat(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	all := make([]rxgo.Iterable, len(sources))
	for i, source := range sources {
		all[i] = source
	}
	return combined(opts, func(s *several) { concat(s, all) })
}

func concat(s *several, sources []rxgo.Iterable) {
	if len(sources) == 0 {
		s.after(0, s.done)
		return
	}
	s.add(sources[0], s.value, func() {
		if len(sources) == 1 {
			s.done()
		} else {
			concat(s, sources[1:])
		}
	})
}

// EndWith emits what source emits, and then the values.
func EndWith(source rxgo.Observable, values []any, opts ...rxgo.Option) rxgo.Observable {
	values = slices.Clone(values)
	return combined(opts, func(s *several) {
		s.add(source, s.value, func() {
			for _, v := range values {
				if !s.value(v) {
					return
				}
			}
			s.done()
		})
	})
}

// StartWith emits first what iterable emits. Its source is subscribed at once, and
// what that emits meanwhile waits in its queue.
func (o *observable) StartWith(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		later := s.later()
		first, ended := true, false
		emit := func(item rxgo.Item) bool {
			if item.Error() {
				return s.fail(item.E)
			}
			return s.value(item.V)
		}
		s.attach(s.who, o, sink{
			next: func(item rxgo.Item) bool {
				if !first {
					return emit(item)
				}
				later.add(item)
				return true
			},
			done: func() {
				if ended = true; !first {
					s.done()
				}
			},
		})
		s.add(iterable, s.value, func() {
			first = false
			for item, ok := later.next(); ok; item, ok = later.next() {
				if !emit(item) {
					return
				}
			}
			if ended {
				s.done()
			}
		})
	})
}
