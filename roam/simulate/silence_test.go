package simulate

import (
	"slices"
	"testing"
)

// Clients that start together where all servers are silent do not go on in
// step: what is given up for late is made up for apart.
func TestSilentServersAreNotDialedInStep(t *testing.T) {
	c := Config{Fleet: Fleet{Clients: 200, Servers: 10, Max: 10}, Network: DefaultNetwork, Policy: Rove}
	c.Network.Together = true
	w := newWorld(c, 1)
	for _, s := range w.servers {
		s.alive, s.silent = false, true
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
