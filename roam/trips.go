package roam

import "slices"

// A trip is one attempt, from its tick until it is known what became of it: its
// outcome, and, if that is an offer, whether a pool has kept it. The two come in
// any order, or not at all.
type trip struct {
	dial     Dial
	tick     any // nil: the policy did not ask for it
	id       string
	slot     int
	answered bool // the outcome has come
	chosen   bool // the pool has asked
	kept     bool // the pool has said so; or, if it has asked, will
	verdict  Verdict
	until    Time // then it is given up for lost
}

// verdictWait is how long an outcome waits for the pool to say what became of its
// offer, in intervals. Then it was refused.
const verdictWait = 0.5

// trips are those under way, oldest first.
type trips []*trip

func (all *trips) add(t *trip) { *all = append(*all, t) }

func (all trips) first(is func(*trip) bool) *trip {
	if at := slices.IndexFunc(all, is); at >= 0 {
		return all[at]
	}
	return nil
}

// ended finds whose outcome has come.
func (all trips) ended(tick any, id string) *trip {
	return all.first(func(t *trip) bool { return !t.answered && t.tick == tick && (tick != nil || t.id == id) })
}

// offered finds whose offer the pool asks about: one that has been asked about
// before, one whose outcome has come, or one that is under way.
func (all trips) offered(id string, slot int) *trip {
	mine := func(t *trip) bool { return t.id == id && !t.kept }
	if t := all.first(func(t *trip) bool { return mine(t) && t.answered && !t.chosen && t.slot == slot }); t != nil {
		return t
	}
	if t := all.first(func(t *trip) bool { return mine(t) && !t.answered && !t.chosen }); t != nil {
		return t
	}
	return all.first(func(t *trip) bool { return mine(t) && t.chosen && t.slot == slot })
}

// taken finds whose offer the pool has kept.
func (all trips) taken(id string, slot int) *trip {
	t := all.first(func(t *trip) bool {
		return t.id == id && !t.kept && t.slot == slot && (t.answered || t.chosen) && (!t.chosen || t.verdict.Kept())
	})
	if t == nil { // a pool that does not ask was faster than the outcome
		t = all.first(func(t *trip) bool { return t.id == id && !t.kept && !t.answered && !t.chosen })
	}
	return t
}

// refused finds whose offer the pool has declined, asked or not.
func (all trips) refused(id string, slot int) *trip {
	t := all.first(func(t *trip) bool { return t.id == id && !t.kept && t.slot == slot && (t.answered || t.chosen) })
	if t == nil {
		t = all.first(func(t *trip) bool { return t.id == id && !t.kept && !t.answered && !t.chosen })
	}
	return t
}

func (all *trips) remove(t *trip) {
	if at := slices.Index(*all, t); at >= 0 {
		*all = slices.Delete(*all, at, at+1)
	}
}

// due takes out those that are given up, and returns those that had an answer.
func (all *trips) due(now Time) (answered []*trip) {
	*all = slices.DeleteFunc(*all, func(t *trip) bool {
		over := t.until <= now
		if over && t.answered {
			answered = append(answered, t)
		}
		return over
	})
	return answered
}

// next is when the first of those with an answer is given up.
func (all trips) next() Time {
	next := never
	for _, t := range all {
		if t.answered {
			next = min(next, t.until)
		}
	}
	return next
}
