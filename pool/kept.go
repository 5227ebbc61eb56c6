package pool

import (
	"cmp"
	"slices"

	"github.com/callosum-go/rover/roam"
)

// A shelf has all that is kept, idle and lent, by slot. Of the same slot the
// longest kept is last: it is the worst, and goes first. The order is total, so
// that any entry is found in O(log n).
type shelf struct {
	entries []*entry
	view    []roam.Held // of the entries, for a choice; nil without one
	viewed  bool
	version int // counts what happens to it
	ages    int
}

func (s *shelf) find(e *entry) (at int) {
	at, _ = slices.BinarySearchFunc(s.entries, e, func(x, e *entry) int {
		return cmp.Or(cmp.Compare(x.rate, e.rate), cmp.Compare(e.age, x.age))
	})
	return at
}

func (s *shelf) add(e *entry) {
	s.version++
	s.ages++
	e.age, e.kept = s.ages, true
	at := s.find(e)
	s.entries = slices.Insert(s.entries, at, e)
	if s.viewed {
		s.view = slices.Insert(s.view, at, e.held())
	}
}

func (s *shelf) remove(e *entry) {
	s.version++
	e.kept = false
	at := s.find(e)
	s.entries = slices.Delete(s.entries, at, at+1)
	if s.viewed {
		s.view = slices.Delete(s.view, at, at+1)
	}
}

// worst is the highest slot, -1 if there is none.
func (s *shelf) worst() int {
	if len(s.entries) == 0 {
		return -1
	}
	return s.entries[len(s.entries)-1].rate
}
