package discover

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
)

// Guard makes any observable of sets keep the rules of this package. An item is a
// map[string]rover.Server, or an Answer; anything else, and each error, is a fault.
// A source that ends after an error is subscribed to again, less and less often;
// one that ends otherwise ends the guard. Guard does not look, so that what is
// about looks, WithTimeout and Good, means nothing to it.
func Guard(sets rxgo.Observable, opts ...Option) rxgo.Observable {
	if v := reflect.ValueOf(sets); sets == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return wrong(errors.New("discover: sets must not be nil"))
	}
	return source(opts, func(ctx context.Context, g *guard) {
		again := g.backoff()
		for ctx.Err() == nil {
			if ended := g.follow(ctx, sets, again.Reset); ended {
				return
			}
			timer := time.NewTimer(g.early(again.NextBackOff()))
			g.until(ctx, timer.C)
			timer.Stop()
		}
	})
}

// follow is one subscription. It says whether that ended without an error.
func (g *guard) follow(ctx context.Context, sets rxgo.Observable, success func()) (ended bool) {
	ctx, cancel := context.WithCancel(ctx)
	items := make(chan rxgo.Item)
	go subscribe(ctx, sets, items)
	defer func() {
		cancel()
		late := time.After(grace)
		for more := true; more; { // until that goroutine has ended
			select {
			case _, more = <-items:
			case <-late:
				return
			}
		}
	}()
	failed := false
	for {
		due, stop := g.timer()
		select {
		case item, more := <-items:
			stop()
			if !more {
				if !failed && g.held != nil { // it cannot come any more
					g.until(ctx, nil)
				}
				return !failed
			}
			if failed = !g.take(item); !failed {
				success()
			}
		case <-due:
			g.release()
		case <-ctx.Done():
			stop()
			return true
		}
	}
}

// take says whether an item is an answer.
func (g *guard) take(item rxgo.Item) bool {
	switch v := item.V.(type) {
	case map[string]rover.Server:
		g.answer(Answer{Servers: v})
		return true
	case Answer:
		g.answer(v)
		return true
	}
	if item.Error() {
		g.fault(item.E)
	} else {
		g.fault(fmt.Errorf("got %T, want map[string]rover.Server", item.V))
	}
	return false
}

// timer says when a set that was held back is due: never if there is none.
func (g *guard) timer() (due <-chan time.Time, stop func() bool) {
	if g.held == nil {
		return nil, func() bool { return false }
	}
	timer := time.NewTimer(time.Until(g.due))
	return timer.C, timer.Stop
}

// until waits for done, and puts in force what is due by then. Without done it
// waits until nothing is held back.
func (g *guard) until(ctx context.Context, done <-chan time.Time) {
	for done != nil || g.held != nil {
		due, stop := g.timer()
		select {
		case <-due:
			g.release()
			continue
		case <-done:
		case <-ctx.Done():
		}
		stop()
		return
	}
}

// subscribe runs a source and the stages of its own on this goroutine, where a
// panic in them is an error.
func subscribe(ctx context.Context, sets rxgo.Observable, to chan<- rxgo.Item) {
	defer close(to)
	send := func(item rxgo.Item) {
		select {
		case to <- item:
		case <-ctx.Done():
		}
	}
	defer func() {
		if p := recover(); p != nil {
			send(rxgo.Error(fmt.Errorf("the source panicked: %v", p)))
		}
	}()
	for item := range hot.Items(ctx, sets) {
		send(item)
	}
}
