package roam

import "math/rand/v2"

// A cycle is a private random order of the servers, which is made as it goes:
// the next one is any of those that were not yet. It costs 4 bytes a server
// and, but for a sweep now and then, O(1) for whatever is done with it.
//
// It is an incremental Fisher-Yates shuffle (Durstenfeld, CACM 7(7) 1964).
type cycle struct {
	order []int32
	pos   int                // where the rest of this round begins
	gone  map[int32]struct{} // left the set, and are still in order
}

// size is how many servers are in the set.
func (c *cycle) size() int { return len(c.order) - len(c.gone) }

func (c *cycle) add(servers []int32) {
	for _, s := range servers {
		if _, still := c.gone[s]; still {
			delete(c.gone, s)
		} else {
			c.order = append(c.order, s)
		}
	}
}

// drop notes who left: next takes them out when it meets them, so that nobody
// has to be looked for.
func (c *cycle) drop(servers []int32) {
	if c.gone == nil && len(servers) > 0 {
		c.gone = make(map[int32]struct{}, len(servers))
	}
	for _, s := range servers {
		c.gone[s] = struct{}{}
	}
	if 2*len(c.gone) > len(c.order) {
		c.sweep()
	}
}

// sweep takes out everyone that left, and begins a new round.
func (c *cycle) sweep() {
	stay := c.order[:0]
	for _, s := range c.order {
		if _, left := c.gone[s]; !left {
			stay = append(stay, s)
		}
	}
	c.order, c.pos, c.gone = stay, 0, nil
}

// next returns the next server of the round. False: the set is empty.
func (c *cycle) next(random *rand.Rand) (int32, bool) {
	for len(c.order) > 0 {
		if c.pos >= len(c.order) {
			c.pos = 0
		}
		at := c.pos + random.IntN(len(c.order)-c.pos)
		s := c.order[at]
		if _, left := c.gone[s]; left {
			delete(c.gone, s)
			last := len(c.order) - 1
			c.order[at] = c.order[last]
			c.order = c.order[:last]
			continue
		}
		c.order[at], c.order[c.pos] = c.order[c.pos], s
		c.pos++
		return s, true
	}
	return 0, false
}
