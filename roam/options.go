package roam

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/callosum-go/rover"
)

// An Option configures [New].
type Option func(*Policy) error

// WithIdle sets the longest time between two dials at rest, in intervals: at
// least 1, default 16. See [Config].
func WithIdle(intervals float64) Option {
	return func(p *Policy) error {
		if p.config.Idle = Time(intervals); intervals == 0 { // Config has it as the default
			return errors.New("roam: idle must be at least 1 interval, got 0")
		}
		return p.config.check()
	}
}

// WithBurst sets how many dials an interval may be made beyond Max, and how many
// in vain in a row: at least 1, default 8.
func WithBurst(dials int) Option {
	return func(p *Policy) error {
		if p.config.Burst = dials; dials == 0 {
			return errors.New("roam: burst must be at least 1, got 0")
		}
		return p.config.check()
	}
}

// WithSpread sets the time within which the first dial is made, at random: 0,
// the default, is at once, and the next ones are apart all the same. It is for
// fleets that start together.
func WithSpread(d time.Duration) Option {
	return func(p *Policy) error {
		if p.spread = d; d < 0 {
			return fmt.Errorf("roam: spread must be 0 or more, got %v", d)
		}
		return nil
	}
}

// WithInterval sets the unit of the policy's time: more than 0, default 1 s. Half
// of it makes everything twice as fast, and the dials at rest twice as many.
func WithInterval(d time.Duration) Option {
	return func(p *Policy) error {
		if p.interval = d; d <= 0 {
			return fmt.Errorf("roam: interval must be positive, got %v", d)
		}
		return nil
	}
}

// WithMax sets what the pool is taken to want until it first asks for a verdict,
// which says so: at least 1, default 1. So many dials are made at once at the
// start, at most 16.
func WithMax(n int) Option {
	return func(p *Policy) error {
		if p.view.Max = n; n < 1 {
			return fmt.Errorf("roam: max must be at least 1, got %d", n)
		}
		return nil
	}
}

// WithRandom sets the source of all chance, which is the policy's alone from then
// on. Default: one of its own.
func WithRandom(source rand.Source) Option {
	return func(p *Policy) error {
		if source == nil {
			return errors.New("roam: random must not be nil")
		}
		p.random = rand.New(source)
		return nil
	}
}

func (p *Policy) configure(opts []Option) error {
	p.config.Idle, p.config.Burst = DefaultIdle, DefaultBurst
	p.interval, p.view.Max = rover.DefaultInterval, 1
	p.random = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for i, opt := range opts {
		if opt == nil {
			return fmt.Errorf("roam: option %d of %d is nil", i+1, len(opts))
		}
		if err := opt(p); err != nil {
			return err
		}
	}
	p.config.Spread = In(p.spread, p.interval)
	return nil
}
