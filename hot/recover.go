package hot

import (
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/reactivex/rxgo/v2"
)

// The operators that go on after an error or an end.

// OnErrorResumeNext goes on with resumeSequence(err), whose error ends it.
func (o *observable) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, opts ...rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		s.attach(s.who, o, sink{done: s.done, next: func(item rxgo.Item) bool {
			if !item.Error() {
				return s.value(item.V)
			}
			s.add(resumeSequence(item.E), s.value, s.done)
			return false
		}})
	})
}

// OnErrorReturn emits a value for an error, and ends.
func (o *observable) OnErrorReturn(resumeFunc rxgo.ErrorFunc, opts ...rxgo.Option) rxgo.Observable {
	return o.stage(false, opts, func(who subscriber, to sink) sink {
		return sink{done: to.done, next: func(item rxgo.Item) bool {
			if !item.Error() {
				return to.value(item.V)
			}
			return to.value(resumeFunc(item.E))
		}}
	})
}

func (o *observable) OnErrorReturnItem(resume any, opts ...rxgo.Option) rxgo.Observable {
	return o.OnErrorReturn(func(error) any { return resume }, opts...)
}

// again subscribes to source, and once more whenever onError or onDone says so:
// after a wait, which is that from the end to the next subscription.
func again(s *several, source rxgo.Iterable, onError func(error) (time.Duration, bool), onDone func() (time.Duration, bool)) {
	var subscribe func()
	later := func(wait time.Duration, more bool) bool {
		if more {
			s.after(wait, subscribe)
		}
		return more
	}
	subscribe = func() {
		s.attach(s.who, source, sink{
			next: func(item rxgo.Item) bool {
				if !item.Error() {
					return s.value(item.V)
				}
				if later(onError(item.E)) {
					return false
				}
				return s.fail(item.E)
			},
			done: func() {
				if !later(onDone()) {
					s.done()
				}
			},
		})
	}
	subscribe()
}

func never() (time.Duration, bool)        { return 0, false }
func noRetry(error) (time.Duration, bool) { return 0, false }

// Retry subscribes to source again when it fails, if delay says so, and waits for
// so long before. failures counts from 1. A nil delay tries again at once, without
// end.
func Retry(source rxgo.Observable, delay func(failures int, err error) (wait time.Duration, again bool), opts ...rxgo.Option) rxgo.Observable {
	if delay == nil {
		delay = func(int, error) (time.Duration, bool) { return 0, true }
	}
	return combined(opts, func(s *several) {
		failures := 0
		again(s, source, func(err error) (time.Duration, bool) {
			failures++
			return delay(failures, err)
		}, never)
	})
}

// Repeat subscribes to source again when it completes, if delay says so, and waits
// for so long before. rounds counts from 1. A nil delay begins again at once,
// without end.
func Repeat(source rxgo.Observable, delay func(rounds int) (wait time.Duration, again bool), opts ...rxgo.Option) rxgo.Observable {
	if delay == nil {
		delay = func(int) (time.Duration, bool) { return 0, true }
	}
	return combined(opts, func(s *several) {
		rounds := 0
		again(s, source, noRetry, func() (time.Duration, bool) {
			rounds++
			return delay(rounds)
		})
	})
}

// Retry subscribes again after an error, at most count times.
func (o *observable) Retry(count int, shouldRetry func(error) bool, opts ...rxgo.Option) rxgo.Observable {
	return Retry(o, func(failures int, err error) (time.Duration, bool) {
		return 0, failures <= count && shouldRetry(err)
	}, join(o.opts, opts)...)
}

// BackOffRetry subscribes again after an error, when the policy says so.
func (o *observable) BackOffRetry(policy backoff.BackOff, opts ...rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		policy.Reset()
		again(s, o, func(error) (time.Duration, bool) {
			wait := policy.NextBackOff()
			return wait, wait != backoff.Stop
		}, never)
	})
}

// Repeat subscribes again after the end, count times or rxgo.Infinite, and waits
// for frequency before; nil: it does not wait. RxGo's own emits again what it has
// recorded.
func (o *observable) Repeat(count int64, frequency rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	if count != rxgo.Infinite && count < 0 {
		return from(rxgo.Empty().Repeat(count, frequency), nil) // RxGo's error
	}
	wait := time.Duration(0)
	if frequency != nil {
		d, err := duration(frequency)
		if err != nil {
			return thrown(err)
		}
		wait = d
	}
	return Repeat(o, func(rounds int) (time.Duration, bool) {
		return wait, count == rxgo.Infinite || int64(rounds) <= count
	}, join(o.opts, opts)...)
}
