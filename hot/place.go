package hot

import (
	"iter"
	"slices"
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
)

// A place is where one source puts what it emits into a loop's inbox. Its queue is
// bounded by itself, whatever else is in the inbox.
type place struct {
	loop   *loop
	to     sink
	quit   func()          // leaves the source
	drop   func(rxgo.Item) // gets what waited when the source was left. Nil: nobody cares
	hand   *handover
	freed  func() // has made room, under the loop's lock. Nil: nobody cares
	pump   atomic.Int32
	taken  chan struct{} // for a pump: its item has been worked on
	source *loop         // that grows with this one. Nil: there is none
	index  int           // in loop.places; -1: it has been left

	// Under the loop's lock.
	size    int
	waiting int  // values in the inbox
	ending  bool // the end is in the inbox
	rule    Overflow
	states  bool // for who wants the newest
	grows   bool
}

// join adds a place to its loop.
func (p *place) join() *place {
	l := p.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	p.index = len(l.places)
	p.grows = p.grows || l.grows
	l.places = append(l.places, p)
	return p
}

// push puts an item into the inbox without waiting. lost is what the rule gave up
// for it: nothing, the item itself, or the oldest one.
func (p *place) push(item rxgo.Item) (lost rxgo.Item, ok bool) {
	l := p.loop
	l.mu.Lock()
	lost, ok = p.put(item)
	wake := l.sleeping && l.first < len(l.inbox)
	if wake {
		l.sleeping = false
	}
	l.mu.Unlock()
	if wake { // without the lock, which the reader wants at once
		l.wake <- struct{}{}
	}
	return lost, ok
}

func (p *place) put(item rxgo.Item) (lost rxgo.Item, ok bool) {
	if p.index < 0 {
		return item, false
	}
	if p.waiting >= p.size && !p.grows {
		return p.overflow(item)
	}
	p.add(item)
	return lost, true
}

func (p *place) add(item rxgo.Item) {
	p.waiting++
	p.loop.inbox = append(p.loop.inbox, entry{kind: value, from: p, item: item, ack: p.taken != nil})
}

// overflow gives up a value for another one: the oldest. Of states, the next one
// takes its place then, so that what is beside it in the inbox never meets an older
// one than was published.
func (p *place) overflow(item rxgo.Item) (lost rxgo.Item, ok bool) {
	if p.rule == DropNewest {
		return item, false
	}
	l := p.loop
	if i := slices.IndexFunc(l.kept, func(c *credit) bool { return c.from == p && !c.gone }); i >= 0 {
		lost, l.kept[i].gone = l.kept[i].item, true
		p.add(item)
		p.waiting--
		return lost, true
	}
	i := p.at(l.first)
	lost = l.inbox[i].item
	if p.states && p.size == 1 {
		l.inbox[i].item = item
		return lost, true
	}
	if p.states {
		next := p.at(i + 1)
		l.inbox[i].item = l.inbox[next].item
		i = next
	}
	l.inbox[i] = entry{}
	if i == l.first {
		l.first++
	} else {
		l.dead++
	}
	l.compact()
	p.add(item)
	p.waiting--
	return lost, true
}

// at finds the first of the values that wait, from i on.
func (p *place) at(i int) int {
	return i + slices.IndexFunc(p.loop.inbox[i:], func(e entry) bool { return e.from == p && e.kind == value })
}

// compact keeps an inbox whose reader does not come from growing.
func (l *loop) compact() {
	if l.dead+l.first < 64 || 2*(l.dead+l.first) < len(l.inbox) {
		return
	}
	kept := l.inbox[:0]
	for _, e := range l.inbox[l.first:] {
		if e.kind != gone {
			kept = append(kept, e)
		}
	}
	clear(l.inbox[len(kept):])
	l.inbox, l.first, l.dead = kept, 0, 0
}

// finish ends the queue, behind what it holds and the error if there is one: a
// full queue gives up its oldest item, because the end is not to be missed.
func (p *place) finish(err error) (lost []any) {
	l := p.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.index < 0 {
		return nil
	}
	if err != nil {
		p.rule, p.states = DropOldest, false
		if gone, _ := p.put(rxgo.Error(err)); gone.V != nil {
			lost = append(lost, gone.V)
		}
	}
	p.ending = true
	l.put(entry{kind: end, from: p})
	return lost
}

func (p *place) full() bool {
	p.loop.mu.Lock()
	defer p.loop.mu.Unlock()
	return p.waiting >= p.size && !p.grows
}

// free makes room for one item, under the loop's lock.
func (p *place) free() {
	if p.waiting--; p.freed != nil {
		p.freed()
	}
}

// remove takes the place out of its loop, and what it has there.
func (p *place) remove() (rest []rxgo.Item) {
	l := p.loop
	if p.index < 0 {
		return nil
	}
	last := len(l.places) - 1
	l.places[p.index] = l.places[last]
	l.places[p.index].index = p.index
	l.places[last], l.places = nil, l.places[:last]
	p.index = -1
	if p.waiting == 0 && !p.ending {
		return nil
	}
	for i := l.first; i < len(l.inbox); i++ {
		if e := &l.inbox[i]; e.from == p {
			if e.kind == value {
				rest = append(rest, e.item)
			}
			*e = entry{}
			l.dead++
		}
	}
	l.compact()
	return rest
}

// leave unsubscribes from the source. What waited goes to the hook.
func (p *place) leave() {
	l := p.loop
	l.mu.Lock()
	left := p.index < 0
	rest := p.remove()
	l.mu.Unlock()
	if left {
		return
	}
	p.quit()
	for _, item := range rest {
		p.lose(item)
	}
}

func (p *place) lose(item rxgo.Item) {
	if p.drop != nil && item.V != nil {
		p.drop(item)
	}
}

// sequence subscribes to a source that is a sequence, made with a context that
// cancel ends. Alone in its loop it runs on the loop's goroutine; otherwise on one
// of its own, which waits until its item has been worked on. lost, which may be
// nil, gets what the subscriber does not take.
func (who subscriber) sequence(items iter.Seq[rxgo.Item], cancel func(), lost func(any), to sink) (leave func()) {
	l := who.loop
	if !l.shared {
		l.lost = lost
		l.seq = func() {
			defer cancel()
			for item := range items {
				if !to.next(item) {
					return
				}
			}
			to.done()
		}
		return cancel
	}
	gone := make(chan struct{})
	p := &place{loop: l, to: to, grows: true, taken: make(chan struct{}, 1)}
	p.quit = func() {
		cancel()
		close(gone)
	}
	if lost != nil {
		p.drop = func(item rxgo.Item) { lost(item.V) }
	}
	p.join()
	p.busy()
	l.pumps.Go(func() {
		defer p.idle(over)
		defer func() { p.finish(nil) }() // also when the source ends its goroutine
		for item := range items {
			if !p.offer(item, gone) {
				return
			}
		}
	})
	return p.leave
}

// offer puts an item into the inbox and waits until it is done with.
func (p *place) offer(item rxgo.Item, gone <-chan struct{}) bool {
	p.idle(waits)
	if _, ok := p.push(item); !ok {
		p.lose(item)
		return false
	}
	select {
	case <-p.taken:
		return true
	case <-gone:
		return false
	}
}

// What a pump does.
const (
	waits int32 = iota // for the loop
	runs               // its source
	over
)

func (p *place) busy() {
	if p.pump.CompareAndSwap(waits, runs) {
		p.loop.running.Add(1)
	}
}

func (p *place) idle(now int32) {
	if p.pump.Swap(now) == runs {
		p.loop.running.Add(-1)
	}
}

// done lets a pump go on with its source.
func (p *place) done() {
	p.busy() // from now on, not when it gets to it
	p.taken <- struct{}{}
}
