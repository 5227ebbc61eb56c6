package hot

import (
	"fmt"
	"reflect"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// The operators with time. Their timers go off on the goroutine of the
// subscription.

// duration is what a rxgo.Duration holds, which has no exported method.
func duration(d rxgo.Duration) (time.Duration, error) {
	if d == nil {
		return 0, fmt.Errorf("%whot: timespan must be made by rxgo.WithDuration, got nil", rxgo.IllegalInputError{})
	}
	for v := reflect.ValueOf(d); v.IsValid(); {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			v = v.Elem()
		case reflect.Struct:
			if v.NumField() == 0 {
				v = reflect.Value{}
			} else {
				v = v.Field(0)
			}
		case reflect.Int64:
			return time.Duration(v.Int()), nil
		default:
			v = reflect.Value{}
		}
	}
	return 0, fmt.Errorf("%whot: timespan must be made by rxgo.WithDuration, got %T", rxgo.IllegalInputError{}, d)
}

// thrown is an operator that was given nonsense.
func thrown(err error) rxgo.Observable { return from(rxgo.Thrown(err), nil) }

// Interval emits 0 at once and then 1, 2, 3, … every d, from each subscription on and
// without drift: a slow subscriber misses beats, later ones stay on the beat. missed,
// which may be nil, gets how many. d must be positive, or the only item is an error.
func Interval(d time.Duration, missed func(n int), opts ...rxgo.Option) rxgo.Observable {
	if d <= 0 {
		return thrown(fmt.Errorf("hot: interval must be positive, got %v", d))
	}
	return combined(opts, func(s *several) {
		n := 0
		s.every(d, func(late int) {
			if late > 0 && missed != nil {
				missed(late)
			}
			s.value(n)
			n++
		})
	})
}

// every runs do at once and then each d, with how many beats were missed. While do
// runs, one beat waits.
func (s *several) every(d time.Duration, do func(missed int)) {
	due, missed := time.Now(), 0
	var beat func()
	beat = func() {
		before := missed
		now := time.Now()
		for missed = 0; ; missed++ {
			if due = due.Add(d); !due.Before(now) {
				break
			}
		}
		s.after(due.Sub(now), beat)
		do(before)
	}
	s.after(0, beat)
}

// Delay emits each item of source d later, and completes when source has and all is
// emitted. An error comes at once.
func Delay(source rxgo.Observable, d time.Duration, opts ...rxgo.Option) rxgo.Observable {
	return combined(opts, func(s *several) {
		type delayed struct {
			due time.Time
			v   any
		}
		var all []delayed
		ended := false
		var next func()
		next = func() {
			for len(all) > 0 {
				if wait := time.Until(all[0].due); wait > 0 {
					s.after(wait, next)
					return
				}
				v := all[0].v
				all[0] = delayed{}
				if all = all[1:]; !s.value(v) {
					return
				}
			}
			if ended {
				s.done()
			}
		}
		s.add(source, func(v any) bool {
			if all = append(all, delayed{time.Now().Add(d), v}); len(all) == 1 {
				s.after(d, next)
			}
			return true
		}, func() {
			if ended = true; len(all) == 0 {
				s.done()
			}
		})
	})
}

// Debounce emits the newest value when none has come for a while, and what is
// left at the end.
func (o *observable) Debounce(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	d, err := duration(timespan)
	if err != nil {
		return thrown(err)
	}
	return o.combined(opts, func(s *several) {
		var newest any
		some, armed := false, false
		var due time.Time
		var ring func()
		ring = func() {
			if wait := time.Until(due); wait > 0 {
				s.after(wait, ring)
				return
			}
			if armed = false; some {
				some = false
				s.value(newest)
			}
		}
		s.add(o, func(v any) bool {
			newest, some, due = v, true, time.Now().Add(d)
			if !armed {
				armed = true
				s.after(d, ring)
			}
			return true
		}, func() {
			if !some || s.value(newest) {
				s.done()
			}
		})
	})
}

// DebounceBy emits the newest item of source once notifier(item) emits, and what
// is left at the end. A newer item leaves the notifier of the one before.
func DebounceBy(source rxgo.Observable, notifier rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return combined(opts, func(s *several) {
		var newest any
		some := false
		leave := func() {}
		s.add(source, func(v any) bool {
			leave()
			newest, some = v, true
			leave = s.add(notifier(rxgo.Of(v)), func(any) bool {
				if some {
					some = false
					s.value(newest)
				}
				return false
			}, func() {})
			return true
		}, func() {
			if !some || s.value(newest) {
				s.done()
			}
		})
	})
}

func (o *observable) Timestamp(opts ...rxgo.Option) rxgo.Observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		return values(who, to, func(v any) bool { return to.value(rxgo.TimestampItem{Timestamp: time.Now().UTC(), V: v}) })
	})
}

func (o *observable) TimeInterval(opts ...rxgo.Option) rxgo.Observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		before := time.Now()
		return values(who, to, func(any) bool {
			passed := time.Since(before)
			before = before.Add(passed)
			return to.value(passed)
		})
	})
}

// Join pairs values of both sides whose times are at most window apart. Both are
// remembered for as long as they may be paired. It ends when one side has ended and
// nothing of it can be paired any more.
func (o *observable) Join(joiner rxgo.Func2, right rxgo.Observable, timeExtractor func(any) time.Time, window rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	d, err := duration(window)
	if err != nil {
		return thrown(err)
	}
	return o.combined(opts, func(s *several) {
		var kept [2][]any
		var ended [2]bool
		over := func(i int) bool { return ended[i] && (ended[1-i] || len(kept[i]) == 0) }
		for i, side := range []rxgo.Iterable{o, right} {
			s.add(side, func(v any) bool {
				at := timeExtractor(v)
				var others []any
				for _, other := range kept[1-i] {
					apart := at.Sub(timeExtractor(other))
					if apart <= d { // an older one will not be paired any more
						others = append(others, other)
					}
					pair := [2]any{v, other}
					if i == 1 {
						pair = [2]any{other, v}
					}
					if apart.Abs() <= d && !s.call(joiner, pair[0], pair[1]) {
						return false
					}
				}
				kept[i], kept[1-i] = append(kept[i], v), others
				if over(1 - i) {
					s.done()
				}
				return true
			}, func() {
				if ended[i] = true; over(i) {
					s.done()
				}
			})
		}
	})
}

// Serialize emits the values in the order of what identifier says of them: from,
// from+1, …; what comes early waits.
func (o *observable) Serialize(from int, identifier func(any) int, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(true, opts, func(who subscriber, to sink) sink {
		turn, early := from, map[int]any{}
		return values(who, to, func(v any) bool {
			early[identifier(v)] = v
			for {
				v, here := early[turn]
				if !here {
					return true
				}
				delete(early, turn)
				turn++
				if !to.value(v) {
					return false
				}
			}
		})
	})
}
