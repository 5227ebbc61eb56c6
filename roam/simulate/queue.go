package simulate

import "github.com/callosum-go/rover/roam"

// An event happens at a moment.
type event struct {
	at         float64
	kind       kind
	client     int32
	server     int32
	generation int32
	slot       int32 // also: which script or change
	dial       roam.Dial
	announced  int32
}

type kind uint8

const (
	wakes    kind = iota // a client
	arrives              // a dial, at a server
	answers              // a server, at the client
	fails                // a dial, at the client
	freed                // a slot, at the server
	scripted             // whatever happens to the fleet
	hears                // a client, of a set change
)

// A queue has the earliest event first. It is a binary heap by hand: one of
// interfaces takes twice as long.
type queue []event

func (q *queue) push(e event) {
	*q = append(*q, e)
	h := *q
	at := len(h) - 1
	for at > 0 {
		up := (at - 1) / 2
		if h[up].at <= e.at {
			break
		}
		h[at] = h[up]
		at = up
	}
	h[at] = e
}

func (q *queue) pop() event {
	h := *q
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return first
	}
	at := 0
	for {
		down := 2*at + 1
		if down >= len(h) {
			break
		}
		if down+1 < len(h) && h[down+1].at < h[down].at {
			down++
		}
		if h[down].at >= last.at {
			break
		}
		h[at] = h[down]
		at = down
	}
	h[at] = last
	return first
}
