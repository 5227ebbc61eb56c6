package pool

import (
	"fmt"
	"math"
)

// WithMaxSockets sets how many sockets the pool has open at most, those included
// that were replaced and are still lent: at least Max, default twice that. At
// the limit nothing is replaced that is lent.
func WithMaxSockets(n int) Option {
	return func(p *Pool) error {
		if p.maxSockets = n; n < 1 {
			return fmt.Errorf("pool: max sockets must be at least 1, got %d", n)
		}
		return nil
	}
}

// checkSockets is for when all options are known.
func (p *Pool) checkSockets() error {
	if p.maxSockets == 0 {
		p.maxSockets = p.max + min(p.max, math.MaxInt-p.max)
	}
	if p.maxSockets < p.max {
		return fmt.Errorf("pool: max sockets must be at least max, %d, got %d", p.max, p.maxSockets)
	}
	return nil
}

// room says whether the pool may have one more socket.
func (p *Pool) room() bool {
	return len(p.kept.entries)+len(p.trials)+p.stats.Leaving < p.maxSockets
}
