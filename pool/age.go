package pool

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// WithMaxAge sets how long a connection is kept, at most: more than 0, default
// for ever. Each goes at a time of its own, between 0.9 d and d, so that those
// that came together do not go together. One that is lent goes when it comes
// back. Set it if something between here and the servers ends old connections.
func WithMaxAge(d time.Duration) Option {
	return func(p *Pool) error {
		if p.maxAge = d; d <= 0 {
			return fmt.Errorf("pool: max age must be positive, got %v", d)
		}
		return nil
	}
}

// ages begins e's time. The lock is held.
func (p *Pool) ages(e *entry) {
	life := time.Duration(float64(p.maxAge) * (0.9 + 0.1*rand.Float64()))
	e.after(life, func() { p.giveUp(Aged, e) })
}

// giveUp takes a connection that is in the pool out of it.
func (p *Pool) giveUp(why Cause, e *entry) {
	p.mu.Lock()
	var finish func()
	if e.kept {
		finish = p.expel(Change{Kind: Closed, Cause: why}, e, &p.stats.Closed)
	}
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}
