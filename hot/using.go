package hot

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// Using makes a source for each subscription, and closes it with that: RxJS's
// using. open is called once a subscription, within Observe and its like, with
// the subscriber's context; what it returns is subscribed at once, with the
// queue that the subscriber chose. closed is called when that subscription has
// ended, by the source, by its context or because the subscriber has left.
func Using(open func(ctx context.Context) (source rxgo.Observable, closed func())) rxgo.Observable {
	return newObservable(func(who subscriber, to sink) func() {
		source, closed := open(who.ctx)
		lease := (&place{loop: who.loop, quit: closed}).join() // left with the loop, at the latest
		leave := who.attach(source, sink{
			next: func(item rxgo.Item) bool {
				more := to.next(item)
				if !more {
					lease.leave()
				}
				return more
			},
			done: func() {
				lease.leave()
				to.done()
			},
		})
		return func() {
			leave()
			lease.leave()
		}
	}, nil)
}
