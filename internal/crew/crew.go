// Package crew has goroutines that wait a moment for more work. A goroutine
// for each piece of work grows a stack of its own, which costs more than all
// the rest of handing the work over.
package crew

import (
	"slices"
	"sync"
	"time"
)

// A goroutine waits for more work for one to two moments.
const moment = 10 * time.Millisecond

// A Crew does work, each piece on a goroutine of its own while it lasts. Do and
// Wait belong to one goroutine.
type Crew[T any] struct {
	work    func(T)
	running sync.WaitGroup

	mu      sync.Mutex
	waiting []*member[T] // who came last gets the next work: the others may leave soon
	moments int          // that have passed
	timer   *time.Timer  // one for all: one for each would wake the poller each time
	armed   bool
	closed  bool
}

type member[T any] struct {
	next  chan T // holds one; closed: there is no more
	since int    // the moment it came in
}

// New makes a crew without anybody in it yet.
func New[T any](work func(T)) *Crew[T] { return &Crew[T]{work: work} }

// Do has the item worked on, and does not wait for it.
func (c *Crew[T]) Do(item T) {
	c.mu.Lock()
	last := len(c.waiting) - 1
	if last < 0 {
		c.mu.Unlock()
		c.running.Add(1)
		go c.join(item)
		return
	}
	m := c.waiting[last]
	c.waiting[last], c.waiting = nil, c.waiting[:last]
	c.mu.Unlock()
	m.next <- item
}

// Wait returns when all work has ended, and everybody has left. The timer may
// tick once more meanwhile, for nobody.
func (c *Crew[T]) Wait() {
	c.mu.Lock()
	c.closed = true
	c.dismiss(len(c.waiting))
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	c.running.Wait()
}

func (c *Crew[T]) join(item T) {
	defer c.running.Done()
	m := &member[T]{next: make(chan T, 1)}
	for more := true; more; item, more = <-m.next {
		c.work(item)
		c.rest(m)
	}
}

func (c *Crew[T]) rest(m *member[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		close(m.next)
		return
	}
	m.since = c.moments
	c.waiting = append(c.waiting, m)
	switch {
	case c.timer == nil:
		c.armed, c.timer = true, time.AfterFunc(moment, c.tick)
	case !c.armed:
		c.armed = true
		c.timer.Reset(moment)
	}
}

// tick dismisses who has waited for a moment.
func (c *Crew[T]) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.waiting) && c.waiting[n].since < c.moments {
		n++
	}
	c.dismiss(n)
	c.moments++
	if c.armed = len(c.waiting) > 0; c.armed {
		c.timer.Reset(moment)
	}
}

// dismiss sends away the n who have waited longest.
func (c *Crew[T]) dismiss(n int) {
	for _, m := range c.waiting[:n] {
		close(m.next)
	}
	c.waiting = slices.Delete(c.waiting, 0, n)
}
