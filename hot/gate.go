package hot

import (
	"slices"
	"time"
)

const grace = time.Millisecond

// A gate holds up what comes from the sources behind it: they wait in their
// queues, and overflow there, while an operator has no use for more. An error does
// not wait: it comes at once, behind what is held. That of a sequence waits a
// moment: one that has all of it ready would always overtake the inner source of
// its own last value.
type gate struct {
	outer *gate // the next one on the way to the subscriber
	shut  bool
	held  []entry
}

// holds is the first gate that is shut.
func (g *gate) holds() *gate {
	for ; g != nil; g = g.outer {
		if g.shut {
			return g
		}
	}
	return nil
}

// all are the gate and those behind it, on the way to the subscriber.
func (g *gate) all() (all []*gate) {
	for ; g != nil; g = g.outer {
		all = append(all, g)
	}
	return all
}

// admit says whether an entry may go on. If not, a gate holds it.
func (l *loop) admit(e entry) bool {
	g := e.gate.holds()
	if g == nil {
		return true
	}
	failed := e.kind == value && e.item.Error() && !e.from.goesOn
	if failed && !e.ack {
		l.hurry(e)
		return false
	}
	g.held = append(g.held, e)
	if failed {
		time.AfterFunc(grace, func() { l.call(nil, func() { l.overdue(e.from) }) })
	}
	return false
}

// overdue lets the error of a sequence through, if a gate still holds it.
func (l *loop) overdue(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range p.gate.all() {
		if i := slices.IndexFunc(g.held, func(e entry) bool { return e.from == p }); i >= 0 {
			e := g.held[i]
			g.held = slices.Delete(g.held, i, i+1)
			l.hurry(e)
			return
		}
	}
}

func (l *loop) shut(g *gate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g.shut = true
}

// open lets what was held go on, before anything that came later.
func (l *loop) open(g *gate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g.shut = false; len(g.held) > 0 {
		l.opened = append(l.opened, g)
	}
}

// hurry lets an error through all gates, behind what they hold.
func (l *loop) hurry(failed entry) {
	var all []entry
	for _, g := range failed.gate.all() {
		all = append(g.held[:len(g.held):len(g.held)], all...)
		g.held = nil
	}
	all = append(all, failed)
	for i := range all {
		all[i].pass = true
	}
	l.again(all)
}

// again puts entries before all others.
func (l *loop) again(all []entry) {
	if n := len(all); n <= l.first {
		l.first -= n
		copy(l.inbox[l.first:], all)
		return
	}
	l.inbox = append(all, l.inbox[l.first:]...)
	l.first = 0
}
