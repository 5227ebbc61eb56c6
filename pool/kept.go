package pool

import (
	"cmp"
	"slices"

	"github.com/callosum-go/rover"
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
	servers map[rover.Server]int // how many of each
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
	if s.servers == nil {
		s.servers = make(map[rover.Server]int)
	}
	s.servers[e.server]++
	at := s.find(e)
	s.entries = slices.Insert(s.entries, at, e)
	if s.viewed {
		s.view = slices.Insert(s.view, at, e.held())
	}
}

func (s *shelf) remove(e *entry) {
	s.version++
	e.kept = false
	if s.servers[e.server]--; s.servers[e.server] == 0 {
		delete(s.servers, e.server)
	}
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

// count is how many of a server have that slot.
func (s *shelf) count(id string, slot int) (n int) {
	at, _ := slices.BinarySearchFunc(s.entries, slot, func(x *entry, slot int) int { return cmp.Compare(x.rate, slot) })
	for ; at < len(s.entries) && s.entries[at].rate == slot; at++ {
		if s.entries[at].id == id {
			n++
		}
	}
	return n
}
