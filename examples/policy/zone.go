package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/roam"
)

// A zone is a policy of its own: servers whose ids begin with its name are looked
// at more often, and all others make room for them.
type zone struct {
	name string
	near sync.Map // ids of those that answered last
}

func (z *zone) has(id string) bool { return strings.HasPrefix(id, z.name) }

// hear is for each of a rover's Outcomes.
func (z *zone) hear(v any) {
	if o := v.(rover.Outcome); z.has(o.ID) && o.Err == nil {
		z.near.Store(o.ID, true)
	} else {
		z.near.Delete(o.ID)
	}
}

// aim is for ticks: it has them dial a server of the zone, if one is known.
func (z *zone) aim(_ context.Context, tick any) (any, error) {
	z.near.Range(func(id, _ any) bool {
		tick = rover.To(id.(string))
		return rand.IntN(2) > 0 // or is it the next one?
	})
	return tick, nil
}

// choose is for pool.WithChoice.
func (z *zone) choose(v roam.View, c *rover.Connection) roam.Verdict {
	if v.Short() > 0 {
		return roam.Verdict{Choice: roam.Keep}
	}
	for i, h := range slices.Backward(v.Kept) { // the highest slot first
		if z.has(c.ID) && !z.has(h.ID) || z.has(c.ID) == z.has(h.ID) && c.Slot < h.Slot {
			return roam.Verdict{Choice: roam.Replace, Victim: i}
		}
	}
	return roam.Verdict{}
}
