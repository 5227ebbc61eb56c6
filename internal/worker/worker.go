// Package worker has goroutines that wait a while for more work. A goroutine
// for each piece of work grows a stack of its own, which costs more than all
// the rest of handing the work over.
package worker

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// beat is how often the group looks who is not needed: a worker waits for more
// work for one to two beats.
const beat = 10 * time.Millisecond

// A Group does work, each piece on a goroutine of its own while it lasts. It
// is safe for many goroutines.
type Group[T any] struct {
	work    func(*Worker[T], T)
	running sync.WaitGroup

	mu     sync.Mutex
	idle   []*Worker[T] // who came last gets the next work: the others may leave soon
	beats  int          // that have passed
	timer  *time.Timer  // one for all: one for each would wake the poller each time
	armed  bool
	closed bool
}

// A Worker is one goroutine of a group.
type Worker[T any] struct {
	group *Group[T]
	next  chan T // holds one; closed: there is no more
	since int    // the beat it became idle in
	left  atomic.Bool
}

// New makes a group without workers.
func New[T any](work func(*Worker[T], T)) *Group[T] { return &Group[T]{work: work} }

// Do has the item worked on, and does not wait for it. False: Wait was called.
func (g *Group[T]) Do(item T) bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return false
	}
	last := len(g.idle) - 1
	if last < 0 {
		g.running.Add(1)
		g.mu.Unlock()
		go g.start(item)
		return true
	}
	w := g.idle[last]
	g.idle[last], g.idle = nil, g.idle[:last]
	g.mu.Unlock()
	w.next <- item
	return true
}

// Wait ends the group: it takes no more work, and returns when all workers have
// left. The timer may tick once more meanwhile, for nobody.
func (g *Group[T]) Wait() {
	g.mu.Lock()
	g.closed = true
	g.dismiss(len(g.idle))
	if g.timer != nil {
		g.timer.Stop()
	}
	g.mu.Unlock()
	g.running.Wait()
}

// Leave takes a worker whose work does not end out of the group: Wait does not
// wait for it, and it gets no more work.
func (w *Worker[T]) Leave() {
	if !w.left.Swap(true) {
		w.group.running.Done()
	}
}

func (g *Group[T]) start(item T) {
	w := &Worker[T]{group: g, next: make(chan T, 1)}
	defer w.Leave() // also when the work ends its goroutine
	for more := true; more; item, more = <-w.next {
		g.work(w, item)
		g.rest(w)
	}
}

func (g *Group[T]) rest(w *Worker[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || w.left.Load() {
		close(w.next)
		return
	}
	w.since = g.beats
	g.idle = append(g.idle, w)
	switch {
	case g.timer == nil:
		g.armed, g.timer = true, time.AfterFunc(beat, g.tick)
	case !g.armed:
		g.armed = true
		g.timer.Reset(beat)
	}
}

// tick dismisses who has been idle for a beat.
func (g *Group[T]) tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < len(g.idle) && g.idle[n].since < g.beats {
		n++
	}
	g.dismiss(n)
	g.beats++
	if g.armed = len(g.idle) > 0; g.armed {
		g.timer.Reset(beat)
	}
}

// dismiss sends away the n who have been idle for longest.
func (g *Group[T]) dismiss(n int) {
	for _, w := range g.idle[:n] {
		close(w.next)
	}
	g.idle = slices.Delete(g.idle, 0, n)
}
