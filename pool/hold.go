package pool

import (
	"slices"
	"time"
)

// A holder keeps loans for longer than it uses them, so as to use them again. It
// gives up what it does not use to who waits in the pool.
type holder interface {
	// yield gives up one loan for somebody who holds so many; false: none is due.
	yield(holds int64) bool
	held() int64
}

// unusedEnough is after how long what a holder does not use is for anybody.
const unusedEnough = 100 * time.Millisecond

// isDue says whether one who holds so many gives one of them up for one who
// waits: so that all have something, and then about the same.
func isDue(holds, waiter int64) bool { return waiter == 0 || holds > waiter+1 }

// hold and unhold say that there is a holder to ask.
func (p *Pool) hold(h holder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holders = append(p.holders, h)
}

func (p *Pool) unhold(h holder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.holders, h); i >= 0 {
		p.holders = slices.Delete(p.holders, i, i+1)
	}
}

// await has h wait for a loan in the queue of Get, until it leaves. Nil: there
// is one.
func (p *Pool) await(h holder) (*wait, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, ErrClosed
	case len(p.idle) > 0:
		return nil, nil
	}
	return p.queued(&p.waiting, h), nil
}

// claim asks the holders for a loan, for one who has begun to wait: h, nil if
// that is no holder.
func (p *Pool) claim(h holder) {
	p.mu.Lock()
	if len(p.holders) == 1 && p.holders[0] == h {
		p.mu.Unlock()
		return
	}
	holders := slices.Clone(p.holders)
	p.mu.Unlock()
	for _, other := range holders {
		if other != h && other.yield(heldBy(h)) {
			return
		}
	}
}

// rested hears that h uses a loan no more, for now, and whether its server did
// what it should. It says whether who has waited longest is due that loan.
func (p *Pool) rested(h holder, c *Conn, well bool) (due bool, finish func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if well && len(p.standings) > 0 {
		finish = p.success(c.entry)
	}
	first := p.waiting.first()
	return first != nil && first.holder != h && isDue(h.held(), heldBy(first.holder)), finish
}

// blame counts a failure of a server whose loan net/http has ended already.
func (p *Pool) blame(c *Conn, err error) {
	p.mu.Lock()
	finish := p.failure(c.entry, because{Failed, err})
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}

func heldBy(h holder) int64 {
	if h == nil {
		return 0
	}
	return h.held()
}
