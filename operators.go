package rover

import (
	"context"
	"fmt"
	"iter"
	"net"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/offer"
	"github.com/callosum-go/rover/internal/socket"
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
	return hot.Interval(d, missed, opts...)
}

// WithLatestFrom emits combine(ctx, item, latest) for each item of source,
// with the latest item of other, which is subscribed first. Until other has
// emitted, items of source are skipped. When other completes, its last item stays.
// An error of either, or of combine, ends the stream when it comes.
func WithLatestFrom(source, other rxgo.Observable, combine rxgo.Func2, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.WithLatestFrom(source, other, combine, opts...))
}

// CombineLatest emits combine(latest...) whenever one of the sources emits, once
// each has emitted. It completes when all have completed, or one has without a
// value.
func CombineLatest(combine rxgo.FuncN, sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.CombineLatest(combine, sources, opts...))
}

// MergeMap observes project(item) for each item of source, at most n of them
// at once (n < 1: no limit), and emits what they emit as it comes. While n are
// observed, items wait in source's queue. It completes when all have completed.
// project runs on the goroutine of the subscription and must not block: what takes
// long belongs into the source that it returns. It never sees an error: that ends
// the stream when it comes.
func MergeMap(source rxgo.Observable, n int, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.MergeMap(source, n, project, opts...))
}

// SwitchMap observes project(item) for the newest item of source, and leaves the
// one before. project is as in MergeMap.
func SwitchMap(source rxgo.Observable, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.SwitchMap(source, project, opts...))
}

// ExhaustMap observes project(item), and skips the items of source that come until
// that has completed. project is as in MergeMap.
func ExhaustMap(source rxgo.Observable, project rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.ExhaustMap(source, project, opts...))
}

// Merge emits what any of the sources emits, as it comes, and completes when
// all have completed.
func Merge(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.Merge(sources, opts...))
}

// Concat observes one source after the other, each when the one before has
// completed. What a hot one emits before its turn is missed.
func Concat(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.Concat(sources, opts...))
}

// Race emits what the source emits that emits first, if only its end, and leaves
// the others. Without any it completes.
func Race(sources []rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.Race(sources, opts...))
}

// EndWith emits what source emits, and then the values.
func EndWith(source rxgo.Observable, values []any, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.EndWith(source, values, opts...))
}

// TakeUntil emits what source emits until notifier, which is subscribed first,
// emits its first item. If notifier completes without one, it has no effect any
// more; if it fails, its error ends the stream.
func TakeUntil(source, notifier rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.TakeUntil(source, notifier, opts...))
}

// Delay emits each item of source d later, and completes when source has and all is
// emitted. An error comes at once.
func Delay(source rxgo.Observable, d time.Duration, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.Delay(source, d, opts...))
}

// DebounceBy emits the newest item of source once notifier(item) emits, and what
// is left at the end. A newer item leaves the notifier of the one before.
func DebounceBy(source rxgo.Observable, notifier rxgo.ItemToObservable, opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.DebounceBy(source, notifier, opts...))
}

// Retry subscribes to source again when it fails, if delay says so, and waits for
// so long before. failures counts from 1. A nil delay tries again at once, without
// end.
func Retry(source rxgo.Observable, delay func(failures int, err error) (wait time.Duration, again bool), opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.Retry(source, delay, opts...))
}

// Repeat subscribes to source again when it completes, if delay says so, and waits
// for so long before. rounds counts from 1. A nil delay begins again at once,
// without end.
func Repeat(source rxgo.Observable, delay func(rounds int) (wait time.Duration, again bool), opts ...rxgo.Option) rxgo.Observable {
	return caring(hot.Repeat(source, delay, opts...))
}

// caring declines what an operator takes and cannot pass on.
func caring(o rxgo.Observable) rxgo.Observable { return hot.Unwanted(o, lost, lose) }

// Share lets any number of subscribers have one subscription to source. It is
// made with the first of them and left with the last; one that comes later
// gets what is emitted from then on, and one that comes after the end starts
// anew. Source is not made to wait for a slow subscriber: each has a queue of
// hot.DefaultQueue items, or its rxgo.WithBufferedChannel, which overflows.
// Every subscriber gets a *Connection of its own. A *Kept has one owner: share
// connections, and keep them behind Share.
func Share(source rxgo.Observable, opts ...rxgo.Option) rxgo.Observable {
	return ShareAs(source, hot.Sharing{}, opts...)
}

// ShareAs is Share by other rules: with replay, with an end that stays, or with a
// source that waits.
func ShareAs(source rxgo.Observable, how hot.Sharing, opts ...rxgo.Option) rxgo.Observable {
	return hot.ShareAs(source, how, opts, append([]hot.SubjectOption{hot.WithEach(another)}, offerRules...)...)
}

// FromSeq is a cold source: it ranges over values for each subscription. Events is
// the way back.
func FromSeq[T any](values iter.Seq[T], opts ...rxgo.Option) rxgo.Observable {
	return hot.FromSeq(values, opts...)
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
