package roam

// An estimate is the fair share as the last offers have it: the mean of their
// slots. Only offers of dials that went anywhere at random are a fair sample.
type estimate struct {
	slots [remembered]float64
	n     int // of slots in use
	at    int // the oldest, once all are
	sum   float64
}

func (e *estimate) mean() float64 { return e.sum / float64(max(e.n, 1)) }

// with is the mean as it will be once the slot is added.
func (e *estimate) with(slot int) float64 {
	if e.n < remembered {
		return (e.sum + float64(slot)) / float64(e.n+1)
	}
	return (e.sum - e.slots[e.at] + float64(slot)) / remembered
}

func (e *estimate) add(slot int) {
	if e.n < remembered {
		e.slots[e.n] = float64(slot)
		e.n++
	} else {
		e.slots[e.at] = float64(slot)
		e.at = (e.at + 1) % remembered
	}
	e.scale(1)
}

// scale makes the estimate what it must be in a set of another size.
func (e *estimate) scale(by float64) {
	e.sum = 0
	for i := range e.slots[:e.n] {
		e.slots[i] *= by
		e.sum += e.slots[i]
	}
}
