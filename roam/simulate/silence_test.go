package simulate

import (
	"math"
	"slices"
	"testing"
)

// Clients that start together where all servers are silent do not go on in
// step: what is given up for late is made up for apart.
func TestSilentServersAreNotDialedInStep(t *testing.T) {
	c := Config{Fleet: Fleet{Clients: 200, Servers: 10, Max: 10}, Network: DefaultNetwork, Policy: Rove}
	w := newWorld(c, 1)
	for _, s := range w.servers {
		s.alive, s.silent = false, true
	}
	w.queue = nil
	for _, c := range w.clients { // at once, though not in lockstep
		c.agent, c.wakeAt = newRover(w, c, 0), math.Inf(1)
		w.rest(c)
	}
	var dials []int // in each twentieth of an interval
	for last := 0; len(dials) < 20*20; last = w.count.dials {
		w.run(w.now + 0.05)
		dials = append(dials, w.count.dials-last)
	}
	equal(t, "the first are made at once", dials[0], 2000)
	for name, part := range map[string][]int{"the second to the last before a timeout": dials[1:100], "after timeouts": dials[100:]} {
		sum := 0
		for _, n := range part {
			sum += n
		}
		if mean, most := float64(sum)/float64(len(part)), slices.Max(part); float64(most) > 4.5*mean || mean < 5 {
			t.Errorf("%s: %d dials in a twentieth of an interval, %.1f in the mean", name, most, mean)
		}
	}
}

// Servers that say nothing hold up nobody: those that do have all within a few
// intervals, though each dial to the others takes five.
func TestSilentServersHoldUpNobody(t *testing.T) {
	r := result(t, "100x20x5", "silence", 10, func(c *Config) { c.Horizon = 20 })
	if r.Settled.Median > 3 || r.Settled.Worst > 5 {
		t.Errorf("settled after %v", r.Settled)
	}
}
