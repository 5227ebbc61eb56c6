package pool

import (
	"fmt"
)

// WithIdle sets how many connections are kept that nobody uses: at least min,
// which may be 0, as long as there are no more than Max in all, and at most max,
// which must be 1 or more, and min or more. What is idle beyond max closes, the
// highest slots first. So the pool is as large as the demand, and few connections
// are silent. Default: as many as Max has room for.
func WithIdle(min, max int) Option {
	return func(p *Pool) error {
		p.idleMin, p.idleMax = min, max
		if min < 0 || max < 1 || max < min {
			return fmt.Errorf("pool: idle must be from 0 or more to at least 1 and that, got %d to %d", min, max)
		}
		return nil
	}
}

// want is how many connections the pool wants now.
func (p *Pool) want() int {
	if p.idleMax == 0 {
		return p.max
	}
	n := len(p.kept.entries)
	busy := n - p.idleKept() + p.waiting.Len()
	return min(max(busy+p.idleMin, min(n, busy+p.idleMax)), p.max)
}

// resize emits how many the pool wants, if that has changed. The lock is held.
func (p *Pool) resize() {
	if p.idleMax > 0 {
		p.resized()
	}
}

func (p *Pool) resized() {
	if want := p.want(); want != p.wanting {
		p.wanting = want
		if p.heard() {
			p.emit(Change{Kind: Resized, Max: want})
		}
	}
}

// trim drops the worst of the idle if there are too many.
func (p *Pool) trim() (finish func()) {
	defer p.resize()
	if p.idleKept() <= p.idleMax {
		return nil
	}
	for at := len(p.kept.entries) - 1; at >= 0; at-- {
		if e := p.kept.entries[at]; e.spot >= 0 {
			return p.expel(Change{Kind: Closed, Cause: Surplus}, e, &p.stats.Closed)
		}
	}
	return nil
}
