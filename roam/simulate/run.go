// Package simulate shows what a roving policy does to a fleet, in continuous
// simulated time: how soon it is even again after an event, what that costs,
// and what it costs at rest. The policy of package roam is the code that the
// library runs; others are there for comparison.
//
// All times are in intervals. A result is the same for the same Config.
package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/callosum-go/rover/roam"
)

// A Config is what to simulate.
type Config struct {
	Fleet   Fleet       `json:"fleet"`
	Network Network     `json:"network"`
	Event   Event       `json:"event"`
	Policy  Policy      `json:"policy"`
	Core    roam.Config `json:"-"`       // of the policy rove
	Seeds   int         `json:"seeds"`   // how many runs; 0 is 20
	Seed    uint64      `json:"seed"`    // of the first run; the others' count up from it
	Horizon float64     `json:"horizon"` // how long to watch: 0 is 100. What is later than that is never
}

// Check fills in what is 0, and says what is wrong and what would be right.
func (c *Config) Check() error {
	if c.Seeds == 0 {
		c.Seeds = 20
	}
	if c.Horizon == 0 {
		c.Horizon = 100
	}
	if c.Policy.agent == nil {
		c.Policy = Rove
	}
	switch {
	case c.Seeds < 1 || c.Seeds > 10_000:
		return fmt.Errorf("simulate: seeds must be from 1 to 10000, got %d", c.Seeds)
	case !(c.Horizon >= 1 && c.Horizon <= 100_000):
		return fmt.Errorf("simulate: horizon must be from 1 to 100000 intervals, got %v", c.Horizon)
	}
	for _, err := range []error{c.Fleet.check(), c.Network.check(), c.Event.check(c.Fleet)} {
		if err != nil {
			return err
		}
	}
	_, err := roam.NewCore(c.Core, rand.New(rand.NewPCG(0, 0)), 0, nil)
	return err
}

// Run simulates a fleet, on all cores, and calls done after each seed with how
// many are done, if done is not nil. The error is what is wrong with the
// Config, or ctx's.
func Run(ctx context.Context, config Config, done func(seeds int)) (Result, error) {
	if err := config.Check(); err != nil {
		return Result{}, err
	}
	runs := make([]run, config.Seeds)
	var (
		mu       sync.Mutex
		begun    int
		finished int
		workers  sync.WaitGroup
	)
	for range min(runtime.GOMAXPROCS(0), config.Seeds) {
		workers.Go(func() {
			for {
				mu.Lock()
				i := begun
				begun++
				mu.Unlock()
				if i >= len(runs) || ctx.Err() != nil {
					return
				}
				one := simulate(ctx, config, config.Seed+uint64(i))
				mu.Lock()
				runs[i] = one
				finished++
				if done != nil {
					done(finished)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("simulate: %w", err)
	}
	return summarize(config, runs), nil
}

// rest is how long dials at rest are counted.
const rest = 60

// warm is how long a fleet needs to come to rest: twice through all servers,
// and some.
func (c *Config) warm() float64 { return 1.3*float64(c.Fleet.Servers) + 60 }

// simulate is one run.
func simulate(ctx context.Context, config Config, seed uint64) run {
	w := newWorld(config, seed)
	var r run
	kind := config.Event.kind()
	if !config.Event.Cold() {
		for t := 0.0; t < config.warm() && ctx.Err() == nil; t++ {
			w.run(t)
		}
		dials := w.count.dials
		w.run(w.now + rest)
		r.steady = float64(w.count.dials-dials) / float64(config.Fleet.Clients) / rest
		r.looks = append(r.looks, w.look())
	}
	watched := int32(-1)
	if kind.happen != nil {
		watched = kind.happen(w, config.Event)
	}
	r.watch(ctx, w, watched)
	return r
}

// percentile returns the least of values that so many are at most.
func percentile(values []float64, part float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := int(float64(len(sorted))*part+1-1e-9) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
