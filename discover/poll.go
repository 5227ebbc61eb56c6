package discover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
)

const (
	// settle is how long nothing must have changed before a source is looked at
	// again: one change is often several.
	settle = 50 * time.Millisecond
	// settleMost is how many times that at the most, if it never stops changing.
	settleMost = 3
	// grace is how long a look may take to return at the end of its context.
	grace = 100 * time.Millisecond
)

// A Look looks at a source once. The error: there is no answer. ctx ends at
// WithTimeout and when the subscriber leaves. Looks of one subscriber come one
// after the other; one that does not return is not started twice.
type Look func(ctx context.Context) (Answer, error)

// Poll is a source of sets that look finds, which may be called for several
// subscribers at once. It also returns how long the set is good for: at most that
// long, within the bounds of WithRefresh, it is not asked again. A panic in it is
// a fault.
func Poll(look func(context.Context) (set map[string]rover.Server, good time.Duration, err error), opts ...Option) rxgo.Observable {
	if look == nil {
		return wrong(errors.New("discover: look must not be nil"))
	}
	return Watch("", func(context.Context, func()) Look {
		return func(ctx context.Context) (Answer, error) {
			set, good, err := look(ctx)
			return Answer{Servers: set, Good: good}, err
		}
	}, opts...)
}

// Watch is Poll for a source that also says when it has changed, or that must
// remember something. open is called once a subscriber. It may start what calls
// changed, from any goroutine, to be looked at soon; that must end with ctx. The
// name is in every fault.
func Watch(name string, open func(ctx context.Context, changed func()) Look, opts ...Option) rxgo.Observable {
	if open == nil {
		return wrong(errors.New("discover: open must not be nil"))
	}
	if name != "" {
		opts = append([]Option{named(name)}, opts...)
	}
	return source(opts, func(ctx context.Context, g *guard) {
		p := &poll{guard: g, changed: make(chan struct{}, 1), answers: make(chan result, 1)}
		p.look = opened(ctx, open, p.wake)
		p.run(ctx)
	})
}

// A poll is the looks of one subscriber.
type poll struct {
	*guard
	look    Look
	changed chan struct{}
	answers chan result // of the one look that is under way
}

type result struct {
	Answer
	err error
}

func (p *poll) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *poll) run(ctx context.Context) {
	faults := p.backoff()
	for ctx.Err() == nil {
		r := p.once(ctx)
		var wait time.Duration
		if ctx.Err() != nil {
			return
		} else if r.err != nil {
			p.fault(r.err)
			wait = faults.NextBackOff()
		} else {
			faults.Reset()
			p.answer(r.Answer)
			wait = max(p.min, min(r.Good, p.max))
		}
		wait = p.early(wait)
		if p.held != nil && r.err == nil { // it is asked once more before it counts
			wait = min(wait, time.Until(p.due))
		}
		p.wait(ctx, wait)
	}
}

// once looks, and returns when that has, or ctx has ended. What comes late is an
// answer all the same.
func (p *poll) once(ctx context.Context) result {
	within, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	go safely(within, p.look, p.answers)
	select {
	case r := <-p.answers:
		return r
	case <-within.Done():
	}
	ended := ctx.Done()
	late := time.NewTimer(grace)
	defer late.Stop()
	for {
		select {
		case r := <-p.answers:
			return r
		case <-ended:
			ended = nil
			late.Reset(grace)
		case <-late.C:
			if ctx.Err() != nil {
				return result{}
			}
			p.fault(fmt.Errorf("a look has not returned: %w", context.DeadlineExceeded))
			late.Reset(p.timeout)
		}
	}
}

// wait returns after a time, or when the source has changed and settled.
func (p *poll) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-ctx.Done():
		return
	case <-p.changed:
	}
	for range settleMost {
		timer.Reset(settle)
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-p.changed:
		}
	}
	p.wake() // it may not have settled yet
}

// safely makes a panic a fault, and so does what ends the goroutine.
func safely(ctx context.Context, look Look, to chan<- result) {
	r := result{err: errors.New("a look ended its goroutine")}
	defer func() {
		if p := recover(); p != nil {
			r = result{err: fmt.Errorf("a look panicked: %v", p)}
		}
		to <- r
	}()
	answer, err := look(ctx)
	r = result{answer, err}
}

// opened calls open; a panic in it is a fault of every look.
func opened(ctx context.Context, open func(context.Context, func()) Look, changed func()) (look Look) {
	defer func() {
		if p := recover(); p != nil {
			look = func(context.Context) (Answer, error) { return Answer{}, fmt.Errorf("open panicked: %v", p) }
		}
	}()
	if look = open(ctx, changed); look == nil {
		panic("it returned no look")
	}
	return look
}

// wrong is a source that cannot be.
func wrong(err error) rxgo.Observable {
	return source([]Option{func(*settings) error { return err }}, nil)
}
