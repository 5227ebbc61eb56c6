package hot

import (
	"context"
	"iter"

	"github.com/reactivex/rxgo/v2"
)

// Using makes a source for each subscription, and closes it with that: RxJS's
// using. open is called once a subscription, within Observe and its like, with
// the subscriber's context; what it returns is subscribed at once, with the
// queue that the subscriber chose. closed is called when that subscription has
// ended, by the source, by its context or because the subscriber has left.
func Using(open func(ctx context.Context) (source rxgo.Observable, closed func())) rxgo.Observable {
	return newObservable(func(who subscriber) feed {
		source, closed := open(who.ctx)
		subscribed := false
		defer unless(&subscribed, closed)
		feed := ours(source).subscribe(who)
		subscribed = true
		feed.items = closing(feed.items, closed)
		return feed
	}, nil)
}

func closing(items iter.Seq[rxgo.Item], closed func()) iter.Seq[rxgo.Item] {
	return func(yield func(rxgo.Item) bool) {
		defer closed()
		items(yield)
	}
}
