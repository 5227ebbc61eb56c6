package pool

import (
	"context"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// Attach offers the pool every *rover.Connection that the observable emits: a
// rover's Connections, or a filtered, merged or foreign stream. Several may
// feed one pool. It subscribes before it returns; the channel it returns is
// closed when the feeding has ended, with the source, ctx or the pool.
//
// Of a rover's own Connections, filtered or not, the pool learns its Outcomes
// and Sets too, as Follow says.
//
// An item that is no *rover.Connection is skipped; an error ends the feeding,
// as it ends any RxGo stream. Either is logged at Warn.
func (p *Pool) Attach(ctx context.Context, connections rxgo.Observable) rxgo.Disposed {
	if stream, ok := hot.Owner(connections).(*rover.Stream); ok {
		p.Follow(ctx, stream.Outcomes(), stream.Sets())
	}
	return p.feed(ctx, connections, func(item rxgo.Item) bool {
		if c, ok := item.V.(*rover.Connection); ok {
			p.Offer(c)
		} else if item.Error() {
			p.logger.Warn("pool: connections failed, there will be no more from here", "error", item.E)
			return false
		} else {
			p.logger.Warn("pool: item skipped, want *rover.Connection", "item", item.V)
		}
		return true
	})
}

// feed calls take for each item, on a goroutine that Close waits for, until the
// source, ctx or the pool ends, or take returns false. It subscribes before it
// returns, unless the pool is closed. What it returns is closed at the end.
func (p *Pool) feed(ctx context.Context, source rxgo.Observable, take func(rxgo.Item) bool) rxgo.Disposed {
	done := make(chan struct{})
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.feeding.Add(1)
	}
	p.mu.Unlock()
	if closed {
		close(done)
		return done
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(p.open, cancel)
	items := hot.Items(ctx, source)
	go func() {
		defer p.feeding.Done()
		defer close(done)
		defer cancel()
		defer unhook()
		for item := range items {
			if !take(item) {
				return
			}
		}
	}()
	return done
}
