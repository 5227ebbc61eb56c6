package hot

import (
	"context"
	"errors"

	"github.com/reactivex/rxgo/v2"
)

// A subscriber is what one subscription's options say, and how its queue is
// to be, whatever the Subject's rule.
type subscriber struct {
	ctx      context.Context
	buffer   int  // rxgo.WithBufferedChannel; 0: not given
	goesOn   bool // rxgo.WithErrorStrategy(rxgo.ContinueOnError)
	newest   bool // a queue that is full gives up its oldest item
	lossless bool // a queue that is full grows; newest comes first

	loop    *loop
	skipped func(any) // gets what operators pass over; nil: nobody cares
}

// read finds out what options say. RxGo's options are opaque, so it hands
// them to a throw-away pipeline, which no pool can make parallel, and looks at what that one does: the context
// and the channel its producer receives, and whether a stage goes on after
// an error.
func read(opts []rxgo.Option) subscriber {
	if len(opts) == 0 {
		return subscriber{ctx: context.Background()}
	}
	found := make(chan subscriber, 1)
	over := make(chan struct{})
	probe := func(ctx context.Context, next chan<- rxgo.Item) {
		found <- subscriber{ctx: ctx, buffer: cap(next)}
		for range 2 {
			select {
			case next <- rxgo.Of(nil):
			case <-over: // the stage has stopped, nobody reads
				return
			}
		}
	}
	failing := func(context.Context, any, any) (any, error) { return nil, errProbe }
	failures := 0
	for range rxgo.Defer([]rxgo.Producer{probe}).Scan(failing).Observe(opts...) {
		failures++
	}
	close(over)
	who := <-found
	who.goesOn = failures > 1
	return who
}

// options says the same to RxGo, but for the buffer, which is the queue's size.
func (who subscriber) options() []rxgo.Option {
	opts := []rxgo.Option{rxgo.WithContext(who.ctx)}
	if who.goesOn {
		opts = append(opts, rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	}
	return opts
}

var errProbe = errors.New("hot: probe")

// join puts option slices behind each other in a slice of their own: an
// append into spare capacity would let subscribers write over one another.
func join(a, b []rxgo.Option) []rxgo.Option {
	return append(a[:len(a):len(a)], b...)
}
