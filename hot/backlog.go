package hot

import (
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// A backlog is what an operator keeps for later, because it has no use for it now.
// It still counts in the queues that it came from: they overflow by it, and a
// sequence waits for it.
type backlog struct {
	loop  *loop
	items []keepsake
}

type keepsake struct {
	item   rxgo.Item
	credit *credit // nil: it came of no source
}

// A credit is an item of a source that something in a backlog was made of.
type credit struct {
	from *place
	item rxgo.Item
	kept int  // how many keepsakes were made of it
	gone bool // given up, by the rule of its queue
	ack  bool // a pump waits until it is done with
}

func (b *backlog) add(item rxgo.Item) {
	b.items = append(b.items, keepsake{item, b.loop.keep()})
}

// next takes the first item that has been neither given up nor is over.
func (b *backlog) next() (item rxgo.Item, ok bool) {
	for len(b.items) > 0 {
		k := b.items[0]
		b.items[0] = keepsake{}
		b.items = b.items[1:]
		c := k.credit
		if c == nil {
			return k.item, true
		}
		gone := c.gone
		b.loop.settle(c)
		if hand := c.from.hand; !gone && hand != nil {
			gone = !hand.begin(c.item)
			b.loop.hand = hand
		}
		if !gone {
			return k.item, true
		}
	}
	return item, false
}

// lose gives up all of it.
func (b *backlog) lose() {
	for _, k := range b.items {
		if c := k.credit; c != nil && !c.gone {
			c.gone = true
			c.from.lose(c.item)
		}
		if k.credit != nil {
			b.loop.settle(k.credit)
		}
	}
	b.items = nil
}

// keep gives credit for the item that is being worked on.
func (l *loop) keep() *credit {
	p := l.working.from
	if p == nil || l.working.kind != value {
		return nil
	}
	c := l.credit
	if c == nil {
		c = &credit{from: p, item: l.working.item, ack: l.working.ack}
		l.credit, l.working.ack = c, false
		l.mu.Lock()
		p.waiting++
		l.kept = append(l.kept, c)
		l.mu.Unlock()
	}
	c.kept++
	return c
}

// settle ends one keepsake of a credit.
func (l *loop) settle(c *credit) {
	if c.kept--; c.kept > 0 {
		return
	}
	if l.credit == c {
		l.credit = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.kept, c); i == 0 {
		l.kept[0] = nil
		l.kept = l.kept[1:]
	} else if i > 0 {
		l.kept = slices.Delete(l.kept, i, i+1)
	}
	c.from.free()
	if c.ack {
		c.from.done()
	}
}
