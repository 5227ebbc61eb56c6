package server

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// Drain is the number that a draining server writes on every slot line. It is no
// load but a mark: the server wants to be left. Clients move what they hold
// there, and do not dial it for a while. Package roam has the same number for
// the client's side.
const Drain = 1 << 30

// leastStart is the part of its weight that a server begins with.
const leastStart = 0.1

// A weight is how much of a fleet's work a server takes, beside others of
// weight 1. It may change while it is read.
type weight struct{ bits atomic.Uint64 }

func (w *weight) set(to float64) { w.bits.Store(math.Float64bits(to)) }
func (w *weight) get() float64   { return math.Float64frombits(w.bits.Load()) }

func checkWeight(w float64) error {
	if !(w > 0) || math.IsInf(w, 1) {
		return fmt.Errorf("server: weight must be positive and finite, such as 1, 2 or 0.5, got %v", w)
	}
	return nil
}

// SetWeight changes the weight of [WithWeight]. It counts for slot lines from
// now on; connections that are open stay as they were announced.
func (l *Listener) SetWeight(w float64) error {
	if err := checkWeight(w); err != nil {
		return err
	}
	l.weight.set(w)
	return nil
}

// Weight is the weight that counts now: a part of it during a slow start.
func (l *Listener) Weight() float64 {
	w := l.weight.get()
	if l.slowStart > 0 {
		w *= min(1, max(leastStart, float64(time.Since(l.began))/float64(l.slowStart)))
	}
	return w
}

// number is what a slot line says: the load once the slot is taken, less one, in
// units of weight 1. It stays below the mark.
func (l *Listener) number(slot int) int {
	if l.isDraining() {
		return Drain
	}
	return scale(slot, l.Weight())
}

func scale(slot int, weight float64) int {
	if weight == 1 {
		return min(slot, Drain-1)
	}
	const rounding = 1e-9 // 7 / (0.1 × 0.7) is 100, not a hair above
	load := math.Ceil((float64(slot)+1)/weight - rounding)
	return int(min(max(load, 1), Drain)) - 1
}
