package rover

import (
	"context"
	"fmt"
	"iter"
	"net"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/offer"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/internal/worker"
	"github.com/reactivex/rxgo/v2"
)

// The operators RxGo lacks or gets wrong. All of them subscribe before
// Observe or ForEach returns, leave every source when their own subscriber
// leaves, and wait for their own goroutines. A source that fails (Item.E) ends
// them with its error. A *Connection on its way that they cannot pass on is
// declined. opts are defaults for each subscription: its context, its buffer.

// Interval emits 0 at once and then 1, 2, 3, … every d, from each subscription
// on and without drift: a slow subscriber misses ticks, later ones stay on the
// beat. d must be positive, or the only item is an error.
func Interval(d time.Duration, opts ...rxgo.Option) rxgo.Observable {
	return interval(d, func(int) {}, opts)
}

// interval is Interval, and counts the ticks that its subscriber misses.
func interval(d time.Duration, missed func(n int), opts []rxgo.Option) rxgo.Observable {
	if d <= 0 {
		return rxgo.Thrown(fmt.Errorf("rover: interval must be positive, got %v", d))
	}
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		begun := time.Now()
		ticker := time.NewTicker(d)
		return func(yield func(rxgo.Item) bool) {
			defer ticker.Stop()
			beat := 0
			for n := 0; ctx.Err() == nil && yield(rxgo.Of(n)); n++ {
				select {
				case at := <-ticker.C:
					now := int((at.Sub(begun) + d/2) / d)
					if now > beat+1 {
						missed(now - beat - 1)
					}
					beat = now
				case <-ctx.Done():
				}
			}
		}
	}, nil, opts...)
}

// WithLatestFrom emits combine(ctx, item, latest) for each item of source,
// with the latest item of other. Until other has emitted, items of source are
// skipped. When other completes, its last item stays; when it fails, the
// error follows with source's next item. An error of combine ends the stream.
func WithLatestFrom(source, other rxgo.Observable, combine rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		latest, leave := hot.Latest(ctx, other)
		items := hot.Items(ctx, source)
		return func(yield func(rxgo.Item) bool) {
			defer leave()
			for item := range items {
				second, some := latest()
				switch {
				case item.Error():
					yield(item)
					return
				case !some:
					lose(item.V)
					continue
				case second.Error():
					lose(item.V)
					yield(second)
					return
				}
				v, err := combine(ctx, item.V, second.V)
				if err != nil {
					lose(item.V)
					yield(rxgo.Error(err))
					return
				}
				if !yield(rxgo.Of(v)) {
					return
				}
			}
		}
	}, lost, opts...)
}

// MergeMap observes project(item) for each item of source, at most n of them
// at once (n < 1: no limit), and emits what they emit as it comes. While n are
// observed, source is not read, nor its end seen. It completes when all have
// completed.
func MergeMap(source rxgo.Observable, n int, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return gather(func(ctx context.Context, emit func(rxgo.Item) bool) func() {
		items := hot.Items(ctx, source)
		return func() {
			concurrently(ctx, items, n, func(item rxgo.Item) {
				if item.Error() {
					emit(item)
					return
				}
				for inner := range hot.Items(ctx, project(item)) {
					if !emit(inner) {
						return
					}
				}
			})
		}
	}, opts)
}

// Merge emits what any of the sources emits, as it comes, and completes when
// all have completed.
func Merge(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	sources = slices.Clone(sources)
	return gather(func(ctx context.Context, emit func(rxgo.Item) bool) func() {
		var all []iter.Seq[rxgo.Item]
		for _, source := range sources {
			all = append(all, hot.Items(ctx, source))
		}
		return func() {
			var running sync.WaitGroup
			for _, items := range all {
				running.Go(func() {
					for item := range items {
						if !emit(item) {
							return
						}
					}
				})
			}
			running.Wait()
		}
	}, opts)
}

// gather makes an observable of what several goroutines emit. subscribe
// subscribes at once and returns what to run; that returns when all is
// emitted. emit is false once there is no use in more.
func gather(subscribe func(ctx context.Context, emit func(rxgo.Item) bool) (run func()), opts []rxgo.Option) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		ctx, cancel := context.WithCancel(ctx)
		out := make(chan rxgo.Item)
		run := subscribe(ctx, func(item rxgo.Item) bool {
			select {
			case out <- item:
				if item.Error() {
					cancel() // no place that this frees is for another inner stream
					return false
				}
				return true
			case <-ctx.Done():
				lost(item.V)
				return false
			}
		})
		return func(yield func(rxgo.Item) bool) {
			go func() {
				defer close(out)
				run()
			}()
			defer func() {
				cancel()
				discard(out)
			}()
			for item := range out {
				if !yield(item) || item.Error() {
					return
				}
			}
		}
	}, lost, opts...)
}

// concurrently works on each item in a goroutine, on at most n at once (n < 1:
// no limit), and returns when all work has ended.
func concurrently(ctx context.Context, items iter.Seq[rxgo.Item], n int, work func(rxgo.Item)) {
	var places chan struct{}
	if n > 0 {
		places = make(chan struct{}, n)
	}
	all := worker.New(func(_ *worker.Worker[rxgo.Item], item rxgo.Item) {
		if places != nil {
			defer func() { <-places }()
		}
		work(item)
	})
	defer all.Wait()
	if places == nil {
		for item := range items {
			all.Do(item)
		}
		return
	}
	places <- struct{}{} // for the first item, before it is read
	for item := range items {
		all.Do(item)
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // a place may be free at that moment, too
			return
		}
	}
}

// TakeUntil emits what source emits until notifier emits its first item. If
// notifier completes without one, it has no effect any more; if it fails, its
// error ends the stream.
func TakeUntil(source, notifier rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		ctx, cancel := context.WithCancel(ctx)
		notices, items := hot.Observe(ctx, notifier), hot.Observe(ctx, source)
		return func(yield func(rxgo.Item) bool) {
			defer func() {
				cancel()
				discard(notices)
				discard(items)
			}()
			pending := notices
			over := func(notice rxgo.Item, fired bool) bool {
				switch {
				case !fired:
					pending = nil
				case notice.Error():
					yield(notice)
				default:
					lose(notice.V)
				}
				return fired
			}
			for {
				select { // what notifier has emitted comes before what source has
				case notice, fired := <-pending:
					if over(notice, fired) {
						return
					}
				default:
				}
				select {
				case notice, fired := <-pending:
					if over(notice, fired) {
						return
					}
				case item, ok := <-items:
					if !ok || !yield(item) || item.Error() {
						return
					}
				}
			}
		}
	}, lost, opts...)
}

// Share lets any number of subscribers have one subscription to source. It is
// made with the first of them and left with the last; one that comes later
// gets what is emitted from then on, and one that comes after the end starts
// anew. Source is not made to wait for a slow subscriber: each has a queue of
// hot.DefaultQueue items, or its rxgo.WithBufferedChannel, which overflows.
// Every subscriber gets a *Connection of its own. A *Kept has one owner: share
// connections, and keep them behind Share.
func Share(source rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return hot.Share(source, opts, append([]hot.SubjectOption{hot.WithEach(another)}, offerRules...)...)
}

// Partition splits source in what p says true to and the rest. Each side
// subscribes to source for itself and, as Accept does, declines the
// connections that are the other's.
func Partition(source rxgo.Observable, p rxgo.Predicate) (yes, no rxgo.Observable) {
	return Accept(source, p), Accept(source, func(v any) bool { return !p(v) })
}

// Accept forwards the connections that want says true to and declines the
// others at once, where a plain Filter leaves them to their KeepTimeout.
func Accept(connections rxgo.Observable, want rxgo.Predicate) rxgo.Observable {
	return connections.Filter(func(v any) bool {
		wanted := want(v)
		if !wanted {
			lose(v)
		}
		return wanted
	})
}

// SlotBelow is true to a *Connection whose slot is lower than n, and to
// nothing else: for Filter, Accept and Partition.
func SlotBelow(n int) rxgo.Predicate {
	return func(item any) bool {
		c, ok := item.(*Connection)
		return ok && c.Slot < n
	}
}

// A Kept is a connection that KeepEach has kept, and its socket.
type Kept struct {
	*Connection
	net.Conn
}

// KeepEach keeps each *Connection and emits a *Kept, whose socket is its
// subscriber's to close. A connection that somebody else has taken, or that is
// no longer on offer, is skipped, where Map(Keep) would end. A socket that its
// subscriber does not take is closed. An item that is no *Connection ends the
// stream with an error.
func KeepEach(connections rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		items := hot.Items(ctx, connections)
		return func(yield func(rxgo.Item) bool) {
			for item := range items {
				c, ok := item.V.(*Connection)
				switch {
				case item.Error():
					yield(item)
					return
				case !ok:
					yield(rxgo.Error(fmt.Errorf("rover: KeepEach got %T, want *rover.Connection", item.V)))
					return
				}
				if conn, err := c.Keep(); err == nil && !yield(rxgo.Of(&Kept{c, conn})) {
					return
				}
			}
		}
	}, lost, opts...)
}

// Events is a subscription to loop over, once:
//
//	for c, err := range rover.Events[*rover.Connection](ctx, stream.Connections()) {
//
// It subscribes at once, so that what is emitted between Events and the loop is
// not missed, and leaves when the loop ends, by a panic of its body too; the
// loop ends with the source or ctx. If there is no loop, it leaves when ctx
// ends. A second loop subscribes anew. An error of the source, and an item that
// is no T, come as err; such an item is declined if it is a *Connection.
func Events[T any](ctx context.Context, source rxgo.Observable) iter.Seq2[T, error] {
	first := hot.Items(ctx, source)
	var begun atomic.Bool
	unused := context.AfterFunc(ctx, func() {
		if !begun.Swap(true) {
			for item := range first { // which ends at once, and leaves
				lose(item.V)
			}
		}
	})
	return func(yield func(T, error) bool) {
		items := first
		if begun.Swap(true) {
			items = hot.Items(ctx, source)
		}
		unused()
		for item := range items {
			v, ok := item.V.(T)
			err := item.E
			if err == nil && !ok {
				err = fmt.Errorf("rover: event is %T, want %v", item.V, reflect.TypeFor[T]())
				lose(item.V)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// another gives a further subscriber a *Connection of its own.
func another(v any) any {
	if c, ok := v.(*Connection); ok {
		return c.offer.share()
	}
	return v
}

// offerRules are the rules of a Subject that hands out connections: the newest
// stay, what is over is not delivered, and what is not delivered is declined in
// the name of who should have got it.
var offerRules = []hot.SubjectOption{
	hot.WithOverflow(hot.DropOldest),
	hot.WithPerishable(fresh, over),
	hot.WithDropped(left),
	hot.WithOverflowed(overflowed),
}

func left(v any)       { leave(v, offer.Left) }
func overflowed(v any) { leave(v, offer.Overflowed) }

func leave(v any, why offer.Fate) {
	if c, ok := v.(*Connection); ok {
		c.leave(why)
	}
}

// lost leaves what an operator's subscriber did not take.
func lost(v any) {
	if k, ok := v.(*Kept); ok {
		socket.Refuse(k.Conn)
		return
	}
	left(v)
}

// lose declines what nobody will get to see.
func lose(v any) {
	if c, ok := v.(*Connection); ok {
		c.Decline()
		return
	}
	lost(v)
}

// discard takes what is left until the channel is closed.
func discard(items <-chan rxgo.Item) {
	for item := range items {
		lost(item.V)
	}
}
