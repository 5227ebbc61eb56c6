package simulate

import (
	"context"
	"math"
)

// sample is how often a fleet is looked at.
const sample = 0.25

// churnWithin is how long moves are counted as an event's.
const churnWithin = 20

// A look is a fleet at a moment. Loads are connections a server that is in the
// set and alive, over its weight.
type look struct {
	full            bool // every client has what it wants
	least, most     float64
	mean            float64 // what is wanted, over all weights
	lowest, highest float64 // the band: ±10 % of the mean, or floor and ceiling of it
}

func (w *world) look() look {
	var total, want int
	for _, c := range w.clients {
		if !c.gone {
			total += len(c.conns)
			want += c.view.Max
		}
	}
	l := look{full: total >= want, least: math.Inf(1)}
	weights := 0.0
	for _, s := range w.members() {
		weights += s.weight
		load := float64(s.kept) / s.weight
		l.least, l.most = min(l.least, load), max(l.most, load)
	}
	const rounding = 1e-9
	l.mean = float64(want) / weights
	l.lowest = min(math.Floor(l.mean), 0.9*l.mean) - rounding
	l.highest = max(math.Ceil(l.mean), 1.1*l.mean) + rounding
	return l
}

// least is the share of connections that have to move before no server has
// more than the mean, rounded up, or less than the mean, rounded down: those
// above, or those that are missing and no client is short of.
func (w *world) least() float64 {
	mean, above, below, missing := w.look().mean, 0.0, 0.0, 0.0
	for _, s := range w.members() {
		share := mean * s.weight
		above += max(0, float64(s.kept)-math.Ceil(share))
		below += max(0, math.Floor(share)-float64(s.kept))
		missing += share - float64(s.kept)
	}
	return max(above, below-missing) / (mean * w.weights())
}

// members are the servers that count: in the set, alive, and not on their way
// out.
func (w *world) members() []*server {
	var all []*server
	for _, s := range w.servers {
		if s.alive && s.listed && !s.drains {
			all = append(all, s)
		}
	}
	return all
}

// A run is what one seed came to. Times are since the event, infinite if never.
type run struct {
	settled float64 // full and within the band, for good
	exact   float64 // full and no two servers differ by more than one, for good
	filled  float64 // the server that came has 0.9 of its share
	churn   float64 // moves a connection
	least   float64 // that had to move
	steady  float64 // dials a client and interval before the event
	busiest float64 // accepts of one server in one interval, over the mean load
	watched float64 // what the server has in the end that the event is about, over the mean
	looks   []look  // before the event, unless it is the start, then at once after it, then each sample
}

// watch looks at the fleet from now on.
func (r *run) watch(ctx context.Context, w *world, watched int32) {
	begin := w.now
	w.count.moves = 0
	r.least = w.least()
	for _, s := range w.servers {
		s.accepts = 0
	}
	uneven, inexact := 0.0, 0.0
	r.filled = math.Inf(1)
	steps := int(w.Horizon / sample)
	l := w.look()
	r.looks = append(r.looks, l)
	for i := 1; i <= steps && ctx.Err() == nil; i++ {
		t := float64(i) * sample
		w.run(begin + t)
		l = w.look()
		r.looks = append(r.looks, l)
		if !l.full || l.most > l.highest || l.least < l.lowest {
			uneven = t
		}
		if !l.full || l.most-l.least > 1+1e-9 {
			inexact = t
		}
		if watched >= 0 && w.Event.kind().comes && math.IsInf(r.filled, 1) && float64(w.servers[watched].kept) >= 0.9*l.mean*w.servers[watched].weight {
			r.filled = t
		}
		if t == math.Trunc(t) {
			for _, s := range w.servers {
				r.busiest = max(r.busiest, float64(s.accepts)/max(1, l.mean))
				s.accepts = 0
			}
		}
		if t <= churnWithin {
			r.churn = float64(w.count.moves) / (l.mean * w.weights())
		}
	}
	r.settled, r.exact = since(uneven, w.Horizon), since(inexact, w.Horizon)
	if watched >= 0 {
		r.watched = float64(w.servers[watched].kept) / w.servers[watched].weight / l.mean
	}
}

// since is the first look after the last that was bad.
func since(bad, horizon float64) float64 {
	if bad >= horizon {
		return math.Inf(1)
	}
	return bad + sample
}

func (w *world) weights() (sum float64) {
	for _, s := range w.members() {
		sum += s.weight
	}
	return sum
}
