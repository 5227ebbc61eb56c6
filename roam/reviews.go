package roam

import (
	"math/rand/v2"
	"slices"
)

// News are the servers that a set change added, and the times at which the
// pool is reviewed for them: each connection above the fair share tries a new
// server with the probability that it is one too many. So many dials go out,
// over the whole fleet, as connections have to move, however many clients
// there are.
type news struct {
	servers   []int32
	successor float64 // the probability that a fill prefers one of them
	fresh     Time    // until then it does
	hot       Time    // until then, what may move must move
	due       [reviews]Time
	left      int // of due, the last ones
}

// change notes what a set change added and dropped.
func (n *news) change(now Time, added, dropped []int32, random *rand.Rand) {
	n.hot = now + hotFor
	n.drop(dropped)
	if len(added) == 0 {
		return
	}
	first := n.next() // one that is due already is not put off
	n.servers = append(n.servers[:0], added...)
	n.successor = 0
	if len(dropped) > 0 {
		n.successor = min(1, float64(len(added))/float64(len(dropped)))
	}
	n.fresh = now + newsFor
	n.left = reviews
	for i := range n.due {
		n.due[i] = now + Time(int(1)<<i>>1) + changeSpread*Time(random.Float64())
	}
	n.due[0] = min(n.due[0], first)
}

// drop takes out who is new no longer, having left.
func (n *news) drop(dropped []int32) {
	if len(n.servers) == 0 || len(dropped) == 0 {
		return
	}
	left := make(map[int32]struct{}, len(dropped))
	for _, s := range dropped {
		left[s] = struct{}{}
	}
	n.servers = slices.DeleteFunc(n.servers, func(s int32) bool { _, gone := left[s]; return gone })
	if len(n.servers) == 0 {
		n.left, n.fresh = 0, 0
	}
}

// next is when the next review is due.
func (n *news) next() Time {
	if n.left == 0 {
		return never
	}
	return n.due[reviews-n.left]
}

// any is one of the new servers, at random.
func (n *news) any(random *rand.Rand) int32 { return n.servers[random.IntN(len(n.servers))] }
