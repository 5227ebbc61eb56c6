package hot

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// A loop is the one goroutine of a subscription. Whatever its sources emit comes
// into one inbox, in the order in which it was published, and goes from there
// down the chain of stages, one item at a time. So two sides of one source meet
// in its order, and no stage needs a lock.
type loop struct {
	ctx     context.Context // the subscriber's
	shared  bool            // with other sources or timers: a sequence needs a goroutine of its own
	seq     func()          // the one source, if it is a sequence; it needs no inbox
	reader                  // what the sources say to who reads
	stop    bool            // nothing more comes
	working entry
	worked  int     // values so far
	credit  *credit // for the item that is being worked on; nil: none is due
	pumps   sync.WaitGroup
	running atomic.Int32 // pumps that are not waiting for the loop

	mu       sync.Mutex
	inbox    []entry
	first    int       // in inbox; what is before it has been taken
	dead     int       // entries that have been given up
	kept     []*credit // what operators keep for later, oldest first
	sleeping bool
	wake     chan struct{}
	closed   bool
	leaving  int // places that are being left by another goroutine
	places   []*place
	timers   map[*time.Timer]struct{} // that have not gone off
	grows    bool
	inner    []*loop // of an operator that runs as RxGo's own
}

// A reader says how the end of a chain is to hand over what comes.
type reader struct {
	buffer     int             // how much room a channel needs for what may be left
	ended      <-chan struct{} // closed: what is left must not wait for a reader. Nil: it waits
	lost       func(any)       // gets what the subscriber did not take. Nil: nobody cares
	overflowed func(any)       // gets what found no room after the end. Nil: nobody cares
	perishes   bool            // values must not wait in a buffer
	hand       *handover       // of the item that is on its way
}

// An entry is one thing to do on the loop's goroutine.
type entry struct {
	from *place
	item rxgo.Item // of a call, V is the function
	kind kind
	ack  bool // a pump waits until it has been worked on
}

type kind uint8

const (
	gone kind = iota
	value
	end
	call
)

func newLoop(ctx context.Context) *loop {
	return &loop{ctx: ctx, wake: make(chan struct{}, 1)}
}

// watch leaves all sources when the subscriber's context ends.
func (l *loop) watch() (unwatch func() bool) {
	if l.ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(l.ctx, l.close)
}

// put adds an entry, under the lock.
func (l *loop) put(e entry) {
	l.inbox = append(l.inbox, e)
	l.rouse()
}

func (l *loop) rouse() {
	if l.sleeping {
		l.sleeping = false
		l.wake <- struct{}{}
	}
}

// sleep waits for a rouse. It is used under the lock, which it gives up meanwhile.
func (l *loop) sleep() {
	l.sleeping = true
	l.mu.Unlock()
	<-l.wake
	l.mu.Lock()
}

// call runs do on the loop's goroutine, behind what is in the inbox.
func (l *loop) call(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.put(entry{kind: call, item: rxgo.Of(do)})
	}
}

// after is call, in a while; stop prevents it.
func (l *loop) after(wait time.Duration, do func()) (stop func()) {
	stopped := false
	once := func() {
		if !stopped {
			do()
		}
	}
	if wait <= 0 {
		l.call(once)
		return func() { stopped = true }
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.timers, timer)
		if !l.closed {
			l.put(entry{kind: call, item: rxgo.Of(once)})
		}
	})
	if l.timers == nil {
		l.timers = map[*time.Timer]struct{}{}
	}
	l.timers[timer] = struct{}{}
	return func() {
		stopped = true
		l.mu.Lock()
		defer l.mu.Unlock()
		timer.Stop()
		delete(l.timers, timer)
	}
}

// ready calls do when over says so, or nothing is ready any more. Sequences that run
// on goroutines of their own get a moment to come up with what they need not wait
// for, but not for ever.
func (l *loop) ready(over func() bool, do func()) {
	const moment, most = time.Millisecond, 100
	before, left := l.worked, most
	var look func()
	again := func() {
		if l.running.Load() == 0 {
			l.call(look) // behind what is in the inbox
		} else {
			l.after(moment, look)
		}
	}
	look = func() {
		idle := l.worked == before
		before = l.worked
		if left--; over() || idle || left == 0 {
			do()
		} else {
			again()
		}
	}
	if over() {
		do()
	} else {
		again()
	}
}

// run works until nothing more comes, the subscriber has had enough, or its
// context ends. Nothing of the subscription is left behind then.
func (l *loop) run() {
	defer l.finish() // also when a callback panics, or ends the goroutine
	if l.seq != nil {
		l.seq()
		return
	}
	for !l.stop {
		if !l.next() {
			return
		}
		l.work()
	}
}

// next waits for an entry to work on.
func (l *loop) next() bool {
	l.mu.Lock()
	for !l.take() {
		if l.closed {
			l.mu.Unlock()
			return false
		}
		l.sleep()
	}
	switch p := l.working.from; l.working.kind {
	case value:
		p.free()
	case end:
		p.ending = false
	}
	l.mu.Unlock()
	return true
}

func (l *loop) take() (ok bool) {
	for !ok && l.first < len(l.inbox) {
		e := &l.inbox[l.first]
		l.first++
		if ok = e.kind != gone; ok {
			l.working, *e = *e, entry{}
		} else {
			l.dead--
		}
	}
	if l.first == len(l.inbox) {
		l.inbox, l.first = l.inbox[:0], 0
		if cap(l.inbox) > 1024 {
			l.inbox = nil // the memory of a backlog goes with its last item
		}
	}
	return ok
}

func (l *loop) work() {
	p, item := l.working.from, l.working.item
	l.credit = nil
	switch l.working.kind {
	case call:
		item.V.(func())()
	case end:
		p.leave()
		p.to.done()
	case value:
		l.worked++
		if l.ctx.Err() != nil { // the subscriber left before it got this one
			p.lose(item)
		} else if p.hand == nil || p.hand.begin(item) {
			l.hand = p.hand
			if !p.to.next(item) {
				p.leave()
			}
		}
		if l.working.ack {
			p.done()
		}
	}
	l.working = entry{}
}

// close leaves all sources. What waits in the inbox goes to their hooks.
func (l *loop) close() {
	l.mu.Lock()
	l.closed = true
	for timer := range l.timers {
		timer.Stop()
	}
	l.timers = nil
	for len(l.places) > 0 {
		p := l.places[len(l.places)-1]
		l.leaving++
		l.mu.Unlock()
		p.leave()
		l.mu.Lock()
		l.leaving--
	}
	l.rouse()
	l.mu.Unlock()
}

func (l *loop) finish() {
	l.close()
	l.mu.Lock()
	for l.leaving > 0 {
		l.sleep()
	}
	kept := l.kept
	l.kept = nil
	l.mu.Unlock()
	for _, c := range kept {
		if !c.gone {
			c.from.lose(c.item)
		}
	}
	l.pumps.Wait()
}

// growing makes all queues grow from now on instead of overflowing.
func (l *loop) growing() {
	l.mu.Lock()
	l.grows = true
	inner := l.inner
	for _, p := range l.places {
		if p.grows = true; p.source != nil {
			inner = append(inner[:len(inner):len(inner)], p.source)
		}
	}
	l.mu.Unlock()
	for _, l := range inner {
		l.growing()
	}
}
