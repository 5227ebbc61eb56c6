package roam

import "math"

// An Offer is what a server offers: its lowest free slot.
type Offer struct {
	ID   string // of the server
	Slot int
	Dial Dial // what it is the answer to; zero if the policy did not ask for it
}

// Choose decides what becomes of an offer. It changes nothing, and takes no
// longer than a look at the view: a pool may ask under its lock.
func (c *Core) Choose(now Time, v View, o Offer) Verdict {
	est := c.estimate.mean()
	if o.Slot < Drain && o.Dial.Reason.fair() && c.flights.open(o.Dial.Number) {
		est = c.estimate.with(o.Slot) // Answer has not been called yet
	}
	good := float64(o.Slot) <= est
	tried := c.tries >= c.config.Burst
	switch {
	case v.count(o.ID, o.Slot) >= Twins:
		return Verdict{}
	case o.Slot >= Drain && len(v.Kept) > 0: // it wants to be left; better than nothing, though
		return Verdict{}
	case v.Short() > 0:
		if good || tried || !c.patient(now, v) {
			return Verdict{Choice: Keep}
		}
		return Verdict{}
	}
	worst := v.worst()
	excess := c.excess(worst, est)
	owed := o.Dial.Reason == Comeback // a server that is back gets what it had
	switch {
	case o.Slot >= worst, !movable(excess) && !owed:
		return Verdict{}
	case !good && !tried && c.urgent(now, excess): // a better place is looked for first
		return Verdict{}
	}
	return Verdict{Replace, len(v.Kept) - 1}
}

// patient is true while a pool that is short may refuse a place which it would
// have to leave again: another dial is made at once. Nobody may wait for it.
func (c *Core) patient(now Time, v View) bool {
	return len(v.Kept) > 0 && v.Waiting == 0 && c.estimate.n >= fewest && now < c.short+patience
}

// excess is by how much a slot lies above the fair share. Nothing is better
// than slot 0.
func (c *Core) excess(slot int, est float64) float64 {
	if slot <= 0 {
		return math.Inf(-1)
	}
	return float64(slot) + 1 - est
}

// movable is true if a connection with that excess may move.
func movable(excess float64) bool { return excess > -slack }

// urgent is true if one must.
func (c *Core) urgent(now Time, excess float64) bool {
	return excess >= urgency || now < c.news.hot && movable(excess)
}

// A State is what a Core makes of the world.
type State struct {
	Estimate float64 // the fair share
	Excess   float64 // of the worst connection; below 0 if there is none or it has slot 0
	Stretch  Time    // the present interval
	Settled  bool    // full, and nothing better is expected anywhere
	Churn    float64 // connections replaced so far, over Max; a Policy knows, a Core does not
}

// State returns what is known now.
func (c *Core) State(v View) State {
	s := State{Estimate: c.estimate.mean(), Excess: -1, Stretch: c.stretch, Settled: v.Short() == 0 && c.stretch > 1}
	if worst := v.worst(); worst > 0 {
		s.Excess = c.excess(worst, s.Estimate)
	}
	return s
}
