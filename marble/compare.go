package marble

import "time"

// comparison is what was wanted and what was got at one instant.
type comparison struct {
	at        time.Duration
	want, got []Event
	same      bool
}

// alike reports whether two diagrams are the same, event by event.
func (q equality) alike(want, got []Event) bool {
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i].At != got[i].At || !q.events(want[i], got[i]) {
			return false
		}
	}
	return true
}

// compare puts two diagrams side by side, instant by instant.
func (q equality) compare(want, got []Event, anyOrder bool) []comparison {
	var all []comparison
	wanted, seen := instants(want), instants(got)
	for len(wanted)+len(seen) > 0 {
		var c comparison
		if len(seen) == 0 || len(wanted) > 0 && wanted[0][0].At <= seen[0][0].At {
			c.at, c.want, wanted = wanted[0][0].At, wanted[0], wanted[1:]
		} else {
			c.at = seen[0][0].At
		}
		if len(seen) > 0 && seen[0][0].At == c.at {
			c.got, seen = seen[0], seen[1:]
		}
		if anyOrder {
			c.got = q.inOrderOf(c.want, c.got)
		}
		c.same = len(c.want) == len(c.got) && q.sameUpTo(c.want, c.got) == len(c.want)
		all = append(all, c)
	}
	return all
}

// sameUpTo is the number of events, from the first on, that are the same in both runs.
func (q equality) sameUpTo(want, got []Event) int {
	for i := range min(len(want), len(got)) {
		if !q.events(want[i], got[i]) {
			return i
		}
	}
	return min(len(want), len(got))
}

// inOrderOf orders got as want, where both have a value. Other values follow, then the end.
func (q equality) inOrderOf(want, got []Event) []Event {
	rest := append([]Event(nil), got...)
	var ordered []Event
	for _, w := range want {
		for i, g := range rest {
			if w.Kind == Next && q.events(w, g) {
				ordered = append(ordered, g)
				rest = append(rest[:i], rest[i+1:]...)
				break
			}
		}
	}
	return append(ordered, rest...)
}
