package hot

import (
	"time"

	"github.com/reactivex/rxgo/v2"
)

// Buffers, windows and groups. A window or a group is a stream of its own, whose
// first subscriber gets all of it; it holds up nobody.

func (o *observable) BufferWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	if count <= 0 {
		return from(rxgo.Empty().BufferWithCount(count), nil) // RxGo's error
	}
	return o.waiting(opts, func(who subscriber, to sink) sink {
		var buffer []any
		s := values(who, to, func(v any) bool {
			if buffer = append(buffer, v); len(buffer) < count {
				return true
			}
			full := buffer
			buffer = nil
			return to.value(full)
		})
		s.done = func() {
			if len(buffer) == 0 || to.value(buffer) {
				to.done()
			}
		}
		return s
	})
}

func (o *observable) BufferWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	return o.buffered(timespan, 0, opts)
}

func (o *observable) BufferWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	if count <= 0 {
		return from(rxgo.Empty().BufferWithCount(count), nil)
	}
	return o.buffered(timespan, count, opts)
}

// buffered emits what has come in each timespan, if anything, and what is count
// long.
func (o *observable) buffered(timespan rxgo.Duration, count int, opts []rxgo.Option) rxgo.Observable {
	d, err := positive(timespan)
	if err != nil {
		return thrown(err)
	}
	return o.combined(opts, func(s *several) {
		var buffer []any
		flush := func() bool {
			full := buffer
			buffer = nil
			return len(full) == 0 || s.value(full)
		}
		s.every(d, func(int) { flush() })
		s.add(o, func(v any) bool {
			buffer = append(buffer, v)
			return len(buffer) != count || flush()
		}, func() {
			if flush() {
				s.done()
			}
		})
	})
}

func positive(timespan rxgo.Duration) (time.Duration, error) {
	d, err := duration(timespan)
	if err == nil && d <= 0 {
		_, err = duration(nil)
	}
	return d, err
}

func (o *observable) WindowWithCount(count int, opts ...rxgo.Option) rxgo.Observable {
	if count <= 0 {
		return from(rxgo.Empty().WindowWithCount(count), nil)
	}
	return o.windowed(0, count, opts)
}

func (o *observable) WindowWithTime(timespan rxgo.Duration, opts ...rxgo.Option) rxgo.Observable {
	d, err := positive(timespan)
	if err != nil {
		return thrown(err)
	}
	return o.windowed(d, 0, opts)
}

func (o *observable) WindowWithTimeOrCount(timespan rxgo.Duration, count int, opts ...rxgo.Option) rxgo.Observable {
	d, err := positive(timespan)
	if err == nil && count < 0 {
		return from(rxgo.Empty().WindowWithTimeOrCount(timespan, count), nil)
	}
	if err != nil {
		return thrown(err)
	}
	return o.windowed(d, count, opts)
}

// windowed emits a window, and the next one whenever d has passed, if anything is
// in it, or it holds count values. By count alone, a window is emitted with its
// first value.
func (o *observable) windowed(d time.Duration, count int, opts []rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		var window *part
		open := func() bool {
			window = newPart()
			return s.value(window.observable)
		}
		shut := func() {
			window.Complete()
			window = nil
		}
		if d > 0 {
			s.every(d, func(int) {
				switch {
				case window == nil:
					open()
				case window.length > 0:
					shut()
					open()
				}
			})
		}
		s.attach(s.who, o, sink{
			next: func(item rxgo.Item) bool {
				if item.Error() {
					if window != nil && !s.who.goesOn {
						window.Fail(item.E)
					}
					return s.fail(item.E)
				}
				if window == nil && !open() {
					return false
				}
				if window.add(item.V); window.length == count {
					shut()
					return open()
				}
				return true
			},
			done: func() {
				if window != nil {
					shut()
				}
				s.done()
			},
		})
	})
}

// A part is a window or a group: a stream that keeps what has come for its first
// subscriber, whose queue grows.
type part struct {
	*Subject
	observable rxgo.Observable
	length     int
}

func newPart() *part {
	p := &part{}
	waits := true
	p.Subject = NewSubject(WithGrowingQueue(), WithReplay(func(any) bool { return waits }))
	attach := p.Subject.attach
	p.observable = newObservable(func(who subscriber, to sink) func() {
		leave := attach(who, to)
		p.Update(func(bool) (any, bool) { // under its lock
			waits = false
			p.kept = nil
			return nil, false
		})
		return leave
	}, nil)
	return p
}

func (p *part) add(v any) {
	p.length++
	p.Publish(v)
}
