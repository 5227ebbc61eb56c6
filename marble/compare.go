package marble

import (
	"errors"
	"reflect"
	"time"
)

// moment is what was wanted and what was got at one instant.
type moment struct {
	at        time.Duration
	want, got []Event
	same      bool
}

// moments puts two diagrams side by side.
func moments(want, got []Event, anyOrder bool) []moment {
	var all []moment
	wanted, seen := instants(want), instants(got)
	for len(wanted)+len(seen) > 0 {
		var m moment
		if len(seen) == 0 || len(wanted) > 0 && wanted[0][0].At <= seen[0][0].At {
			m.at, m.want, wanted = wanted[0][0].At, wanted[0], wanted[1:]
		} else {
			m.at = seen[0][0].At
		}
		if len(seen) > 0 && seen[0][0].At == m.at {
			m.got, seen = seen[0], seen[1:]
		}
		if anyOrder {
			m.got = inOrderOf(m.want, m.got)
		}
		m.same = len(m.want) == len(m.got) && sameUpTo(m.want, m.got) == len(m.want)
		all = append(all, m)
	}
	return all
}

// sameUpTo is how many events two runs have in common from their beginning.
func sameUpTo(want, got []Event) int {
	for i := range min(len(want), len(got)) {
		if !same(want[i], got[i]) {
			return i
		}
	}
	return min(len(want), len(got))
}

// inOrderOf puts the values that were wanted where they were wanted; what was not comes
// after, and the end stays at the end.
func inOrderOf(want, got []Event) []Event {
	rest := append([]Event(nil), got...)
	var ordered []Event
	for _, w := range want {
		for i, g := range rest {
			if w.Kind == Next && same(w, g) {
				ordered = append(ordered, g)
				rest = append(rest[:i], rest[i+1:]...)
				break
			}
		}
	}
	return append(ordered, rest...)
}

func same(want, got Event) bool {
	return want.Kind == got.Kind && equal(want.Value, got.Value)
}

// equal is reflect.DeepEqual; of errors, errors.Is is enough.
func equal(want, got any) bool {
	if w, ok := want.(error); ok {
		if g, ok := got.(error); ok && errors.Is(g, w) {
			return true
		}
	}
	return reflect.DeepEqual(want, got)
}
