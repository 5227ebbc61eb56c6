package hot

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// An operator is one of RxGo's own. It is applied anew for each subscription:
// many of RxGo's work once only, or start when they are built.
type operator func(source rxgo.Observable, opts []rxgo.Option) rxgo.Iterable

// A trait is what sets one of RxGo's operators apart when it ends.
type trait uint8

const (
	// mishandlesCancel: the end of its context may make it deadlock, leak or
	// panic. It gets one that never ends, and finishes with its source.
	mishandlesCancel trait = 1 << iota
	// outlived by what it emits: it completes at once, and its groups go on.
	outlived
	// multiplies: after the end of its source it may emit more than fits a
	// buffer, so its values wait for their reader.
	multiplies
)

// native runs an operator as RxGo's own, and gives it what RxGo lacks: it
// subscribes synchronously, and it is unsubscribed when it has ended.
func (o *observable) native(run operator, opts []rxgo.Option, traits ...trait) *observable {
	var is trait
	for _, t := range traits {
		is |= t
	}
	return newObservable(func(who subscriber) feed {
		inner, cancel := who, func() {}
		if is&outlived == 0 {
			inner.ctx, cancel = context.WithCancel(who.ctx)
		}
		source := &nativeSource{who: inner, subscribe: o.subscribe, first: make(chan feed, 1)}
		made := false
		defer unless(&made, cancel)
		first := o.subscribe(inner)
		source.first <- first

		under := inner
		if is&mishandlesCancel != 0 {
			under.ctx = context.WithoutCancel(inner.ctx)
		}
		out := run(rxgo.Defer([]rxgo.Producer{source.produce}), join(opts, under.options())).Observe()

		made = true
		result := feed{buffer: first.buffer, ended: first.ended, grow: first.grow}
		if is&multiplies != 0 {
			result.ended = nil
		}
		result.items = func(yield func(rxgo.Item) bool) {
			var last rxgo.Item
			closed := false
			defer func() {
				cancel()
				if is&outlived == 0 {
					source.abandon()
				}
				if !closed {
					go drain(out, last, is&mishandlesCancel != 0)
				}
			}()
			for {
				select {
				case item, ok := <-out:
					if !ok {
						closed = true
						return
					}
					last = item
					if !yield(item) {
						return
					}
				case <-who.ctx.Done(): // which RxGo may well not notice
					return
				}
			}
		}
		return result
	}, join(o.opts, opts))
}

// A nativeSource feeds what was subscribed synchronously to the operator that
// asks for it later, on a goroutine of RxGo's.
type nativeSource struct {
	who       subscriber
	subscribe func(subscriber) feed
	first     chan feed
}

func (s *nativeSource) produce(_ context.Context, next chan<- rxgo.Item) {
	select {
	case feed := <-s.first:
		feed.pass(s.who.ctx, next)
	default: // Retry subscribes more than once
		if s.who.ctx.Err() == nil {
			s.subscribe(s.who).pass(s.who.ctx, next)
		}
	}
}

// abandon ends a subscription that the operator never asked for. Its context
// has ended, so there is nothing to wait for.
func (s *nativeSource) abandon() {
	select {
	case feed := <-s.first:
		for item := range feed.items {
			feed.lose(item)
		}
	default:
	}
}

// drain frees an operator blocked in a bare send, to its channel or to one of
// the windows it has given out.
func drain(out <-chan rxgo.Item, last rxgo.Item, windows bool) {
	free := func(item rxgo.Item) {
		if window, ok := item.V.(rxgo.Observable); windows && ok {
			go func() {
				for range window.Observe() {
				}
			}()
		}
	}
	free(last)
	for item := range out {
		free(item)
	}
}
