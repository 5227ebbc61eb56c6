package hot

import (
	"time"

	"github.com/reactivex/rxgo/v2"
)

// several are the sources of one operator, which meet on one goroutine, in the
// order in which they emitted. After its end it hears no more of any of them.
type several struct {
	who    subscriber
	to     sink
	leaves map[int]func()
	added  int
	over   bool
}

// combined makes an operator with several sources. open subscribes those that
// are there from the start.
func combined(opts []rxgo.Option, open func(s *several)) *observable {
	return newObservable(func(who subscriber, to sink) func() {
		who.loop.shared = true
		s := &several{who: who, to: to, leaves: map[int]func(){}}
		open(s)
		return s.leave
	}, opts)
}

// combined is combined, for a method: its source's options are the first ones.
func (o *observable) combined(opts []rxgo.Option, open func(s *several)) *observable {
	return combined(join(o.opts, opts), open)
}

// add subscribes a source. An error of it ends the operator.
func (s *several) add(source rxgo.Iterable, next func(v any) bool, done func()) (leave func()) {
	return s.attach(s.who, source, sink{done: done, next: func(item rxgo.Item) bool {
		if item.Error() {
			return s.fail(item.E)
		}
		return next(item.V)
	}})
}

func (s *several) attach(who subscriber, source rxgo.Iterable, to sink) (leave func()) {
	id := s.added
	s.added++
	here := true
	next := func(item rxgo.Item) bool { return here && !s.over && to.next(item) && here && !s.over }
	left := who.attach(source, sink{next: next, done: func() {
		if here && !s.over {
			here = false
			delete(s.leaves, id)
			to.done()
		}
	}})
	s.leaves[id] = left
	return func() {
		here = false
		delete(s.leaves, id)
		left()
	}
}

// later is a backlog, which ends with the operator.
func (s *several) later() *backlog {
	b := &backlog{loop: s.who.loop}
	s.leaves[s.added] = b.lose
	s.added++
	return b
}

// after runs do on the loop's goroutine, in a while, unless the operator is over.
func (s *several) after(wait time.Duration, do func()) (stop func()) {
	id := s.added
	s.added++
	stop = s.who.loop.after(wait, func() {
		delete(s.leaves, id)
		do()
	})
	s.leaves[id] = stop
	return func() {
		delete(s.leaves, id)
		stop()
	}
}

// leave ends the operator because nobody wants more.
func (s *several) leave() {
	s.over = true
	for id, leave := range s.leaves {
		delete(s.leaves, id)
		leave()
	}
}

func (s *several) value(v any) bool {
	if s.over || s.to.value(v) {
		return !s.over
	}
	s.leave()
	return false
}

// done ends the operator.
func (s *several) done() {
	if !s.over {
		s.leave()
		s.to.done()
	}
}

// fail emits an error and ends the operator, unless the error strategy goes on.
func (s *several) fail(err error) bool {
	switch {
	case s.over:
		return false
	case !s.to.next(rxgo.Error(err)):
		s.leave()
		return false
	case s.who.goesOn:
		return true
	}
	s.done()
	return false
}

func (s *several) skip(v any) {
	if s.who.skipped != nil && v != nil {
		s.who.skipped(v)
	}
}

// call emits what apply makes of two values, or its error.
func (s *several) call(apply rxgo.Func2, a, b any) bool {
	v, err := apply(s.who.ctx, a, b)
	if err != nil {
		s.skip(a)
		return s.fail(err)
	}
	return s.value(v)
}

// Unwanted is a view of source whose hooks get what would be lost without a word:
// left each value that its subscriber did not take because it left, skipped each
// that an operator of this package before it took and passed over.
func Unwanted(source rxgo.Observable, left, skipped func(v any), opts ...rxgo.Option) rxgo.Observable {
	o := from(source, nil)
	return newObservable(func(who subscriber, to sink) func() {
		who.skipped = skipped
		leave := o.attach(who, to)
		who.loop.lost = left
		return leave
	}, join(o.opts, opts))
}
