package hot

import (
	"fmt"

	"github.com/reactivex/rxgo/v2"
)

// GroupBy emits length groups, one for each number that distribution may say of a
// value, and completes; the groups go on until the source ends. A number that is
// out of range, below zero too, is the error of all groups.
func (o *observable) GroupBy(length int, distribution func(rxgo.Item) int, opts ...rxgo.Option) rxgo.Observable {
	return newObservable(func(who subscriber, to sink) func() {
		groups := make([]*part, length)
		for i := range groups {
			groups[i] = newPart()
		}
		all := func(do func(*part)) {
			for _, g := range groups {
				do(g)
			}
		}
		// The groups outlive the stream of groups: they have a loop of their own.
		l := o.subscribe(who, func(item rxgo.Item) bool {
			if item.Error() {
				all(func(g *part) { g.Fail(item.E) })
				return false
			}
			if i := distribution(item); i < 0 || i >= length {
				all(func(g *part) {
					g.Fail(fmt.Errorf("%whot: group %d, length %d", rxgo.IndexOutOfBoundError{}, i, length))
				})
				return false
			} else {
				groups[i].add(item.V)
			}
			return true
		})
		go func() {
			defer all(func(g *part) { g.Complete() })
			l.run()
		}()
		return who.loop.after(0, func() {
			for _, g := range groups {
				if !to.value(g.observable) {
					return
				}
			}
			to.done()
		})
	}, join(o.opts, opts))
}

// GroupByDynamic emits a rxgo.GroupedObservable for each new key that distribution
// says of a value. An error is that of all groups, and of the stream of groups.
func (o *observable) GroupByDynamic(distribution func(rxgo.Item) string, opts ...rxgo.Option) rxgo.Observable {
	return o.combined(opts, func(s *several) {
		groups := map[string]*part{}
		s.attach(s.who, o, sink{
			next: func(item rxgo.Item) bool {
				if item.Error() {
					for _, g := range groups {
						if !s.who.goesOn {
							g.Fail(item.E)
						}
					}
					return s.fail(item.E)
				}
				key := distribution(item)
				g := groups[key]
				if g == nil {
					g = newPart()
					groups[key] = g
					if !s.value(rxgo.GroupedObservable{Observable: g.observable, Key: key}) {
						return false
					}
				}
				g.add(item.V)
				return true
			},
			done: func() {
				for _, g := range groups {
					g.Complete()
				}
				s.done()
			},
		})
	})
}
