package hot

import (
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// The operators that observe several sources at once. Sources of this package
// meet in the order in which they emitted; of two that share one, the one that is
// subscribed first comes first. It is said at each which that is.

// Merge emits what any of the sources emits, as it comes, and completes when
// all have completed. They are subscribed in their order.
func Merge(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	sources = slices.Clone(sources)
	return combined(opts, func(s *several) {
		open := len(sources)
		if open == 0 {
			s.after(0, s.done)
		}
		for _, source := range sources {
			s.add(source, s.value, func() {
				if open--; open == 0 {
					s.done()
				}
			})
		}
	})
}

// CombineLatest emits combine(latest...) whenever one of the sources emits, once
// each has emitted, and completes when all have completed, or one has without a
// value. They are subscribed in their order. latest is a new slice each time.
func CombineLatest(combine rxgo.FuncN, sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	sources = slices.Clone(sources)
	return combined(opts, func(s *several) {
		latest, has := make([]any, len(sources)), make([]bool, len(sources))
		open, missing := len(sources), len(sources)
		if open == 0 {
			s.after(0, s.done)
		}
		for i, source := range sources {
			s.add(source, func(v any) bool {
				if !has[i] {
					has[i] = true
					missing--
				}
				latest[i] = v
				return missing > 0 || s.value(combine(slices.Clone(latest)...))
			}, func() {
				if open--; open == 0 || !has[i] {
					s.done()
				}
			})
		}
	})
}

// Race emits what the source emits that emits first, if only its end, and leaves
// the others. They are subscribed in their order. Without any it completes.
func Race(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	sources = slices.Clone(sources)
	return combined(opts, func(s *several) {
		if len(sources) == 0 {
			s.after(0, s.done)
		}
		leaves := make([]func(), len(sources))
		won := -1
		win := func(i int) {
			if won >= 0 {
				return
			}
			won = i
			for other, leave := range leaves {
				if other != i {
					leave()
				}
			}
		}
		for i, source := range sources {
			leaves[i] = s.attach(s.who, source, sink{
				next: func(item rxgo.Item) bool {
					win(i)
					if item.Error() {
						return s.fail(item.E)
					}
					return s.value(item.V)
				},
				done: func() {
					win(i)
					s.done()
				},
			})
		}
	})
}

// WithLatestFrom emits combine(ctx, item, latest) for each item of source,
// with the latest item of other, which is subscribed first. Until other has
// emitted, items of source are skipped. When other completes, its last item stays.
// An error of either, or of combine, ends the stream when it comes.
func WithLatestFrom(source, other rxgo.Observable, combine rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return combined(opts, func(s *several) {
		var latest any
		some := false
		states := s.who
		states.newest = true
		s.attach(states, other, sink{done: func() {}, next: func(item rxgo.Item) bool {
			if item.Error() {
				return s.fail(item.E)
			}
			latest, some = item.V, true
			return true
		}})
		s.add(source, func(v any) bool {
			if !some {
				s.skip(v)
				return true
			}
			return s.call(combine, v, latest)
		}, s.done)
	})
}

// TakeUntil emits what source emits until notifier, which is subscribed first,
// emits its first item. If notifier completes without one, it has no effect any
// more; if it fails, its error ends the stream.
func TakeUntil(source, notifier rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return combined(opts, func(s *several) {
		s.add(notifier, func(v any) bool {
			s.skip(v)
			s.done()
			return false
		}, func() {})
		s.add(source, s.value, s.done)
	})
}

// ZipFromIterable pairs the nth value of the one side with the nth of the other,
// and completes when one side has, and all its values are paired.
func (o *observable) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		var waiting [2][]any
		var ended [2]bool
		for i, side := range []rxgo.Iterable{o, iterable} {
			s.add(side, func(v any) bool {
				waiting[i] = append(waiting[i], v)
				if len(waiting[1-i]) == 0 {
					return true
				}
				a, b := waiting[0][0], waiting[1][0]
				waiting[0], waiting[1] = waiting[0][1:], waiting[1][1:]
				if !s.call(zipper, a, b) {
					return false
				}
				for j := range waiting {
					if ended[j] && len(waiting[j]) == 0 {
						s.done()
					}
				}
				return true
			}, func() {
				if ended[i] = true; len(waiting[i]) == 0 {
					s.done()
				}
			})
		}
	})
}

// Sample emits the newest value whenever the other side emits, unless it has done
// so before. It ends with its source.
func (o *observable) Sample(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		var newest any
		some := false
		s.add(o, func(v any) bool {
			newest, some = v, true
			return true
		}, s.done)
		s.add(iterable, func(any) bool {
			if !some {
				return true
			}
			some = false
			return s.value(newest)
		}, func() {})
	})
}

// SequenceEqual emits whether both sides have the same values in the same order.
func (o *observable) SequenceEqual(iterable rxgo.Iterable, opts ...rxgo.Option) rxgo.Single {
	return single{o.combined(opts, func(s *several) {
		var ahead [2][]any
		var ended [2]bool
		answer := func(equal bool) bool {
			if s.value(equal) {
				s.done()
			}
			return false
		}
		for i, side := range []rxgo.Iterable{o, iterable} {
			s.add(side, func(v any) bool {
				if len(ahead[1-i]) == 0 {
					ahead[i] = append(ahead[i], v)
					return !ended[1-i] || answer(false)
				}
				other := ahead[1-i][0]
				ahead[1-i] = ahead[1-i][1:]
				return v == other || answer(false)
			}, func() {
				ended[i] = true
				switch {
				case len(ahead[1-i]) > 0:
					answer(false)
				case ended[1-i]:
					answer(len(ahead[i]) == 0)
				}
			})
		}
	})}
}
