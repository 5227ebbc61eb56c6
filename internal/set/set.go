// Package set holds a changing set of values with names, from which one is
// picked by number. Add, drop and pick cost the same at ten values and at a
// million: the values lie in places without holes, and a dropped one's place
// is taken by the last.
package set

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrEmpty is what Pick returns when there is nothing to pick from.
var ErrEmpty = errors.New("set: empty")

// An Entry is a value and its name.
type Entry[V any] struct {
	Name  string
	Value V
}

// A Set may be read by many goroutines, also while it is written: readers wait
// only while changes are put in, not while they are looked for, and not for a
// set that is wholly new. Those who write take turns, which is theirs to see to.
// The zero value is empty and ready.
type Set[V comparable] struct {
	mu     sync.RWMutex
	places map[string]int // name → its place
	most   int            // names there were in this map, at the most
	blocks []*block[V]    // entries by place
	n      int
	era    atomic.Int64 // one more with each snapshot
}

// A block is some neighbouring places. One of an earlier era than the set's is
// part of a snapshot, and copied before it is written to.
type block[V any] struct {
	era     int64
	entries [blockSize]Entry[V]
}

const blockSize = 16

// Len returns how many values there are.
func (s *Set[V]) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.n
}

// Get returns the value with the name, and whether there is one.
func (s *Set[V]) Get(name string) (v V, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at, ok := s.places[name]
	if ok {
		v = s.at(at).Value
	}
	return v, ok
}

// Pick returns one entry: choose is given how many there are and returns a
// number from 0 to n-1, which means the same entry as long as nothing changes.
// The errors are ErrEmpty and what is wrong with that number.
func (s *Set[V]) Pick(choose func(n int) int) (Entry[V], error) {
	for {
		n := s.Len()
		if n == 0 {
			return Entry[V]{}, ErrEmpty
		}
		i := choose(n) // outside the lock: it is not ours
		if i < 0 || i >= n {
			return Entry[V]{}, fmt.Errorf("rover: pick returned %d for %d servers, want 0 to %d", i, n, n-1)
		}
		if entry, ok := s.in(i); ok { // else some were dropped meanwhile
			return entry, nil
		}
	}
}

func (s *Set[V]) in(place int) (e Entry[V], ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ok = place < s.n; ok {
		e = *s.at(place)
	}
	return e, ok
}

// All returns a copy. It is made of a snapshot: nobody waits for it.
func (s *Set[V]) All() map[string]V {
	s.mu.RLock()
	s.era.Add(1)
	blocks, n := slices.Clone(s.blocks), s.n
	s.mu.RUnlock()
	all := make(map[string]V, n)
	for place := range n {
		e := &blocks[place/blockSize].entries[place%blockSize]
		all[e.Name] = e.Value
	}
	return all
}

// Add puts v into the set, in the place of what had the name before.
func (s *Set[V]) Add(name string, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(name, v)
}

// Drop takes the value with the name out, and returns it if there was one.
func (s *Set[V]) Drop(name string) (v V, had bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop(name)
}

// Merge makes the set what values are, and leaves alone what is in both. A
// value that check finds wrong is not put in; what had its name before stays.
// A changed value is in both added and dropped. The error joins what check
// returned, in the order of the names.
func (s *Set[V]) Merge(values map[string]V, check func(name string, v V) error) (added, dropped []Entry[V], err error) {
	added, dropped, err = s.compare(values, check) // readers go on meanwhile
	if len(added)+len(dropped) == 0 {
		return nil, nil, err
	}
	if len(dropped) == s.n { // all of it is new
		fresh := Set[V]{places: make(map[string]int, len(added))}
		fresh.era.Store(s.era.Load())
		for _, e := range added {
			fresh.put(e.Name, e.Value)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.places, s.most, s.blocks, s.n = fresh.places, fresh.most, fresh.blocks, fresh.n
		return added, dropped, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range dropped {
		if _, stays := values[e.Name]; !stays {
			s.drop(e.Name)
		}
	}
	for _, e := range added {
		s.put(e.Name, e.Value)
	}
	return added, dropped, err
}

// compare looks the set's own names up first, in the order of their places:
// with an equal set that is all there is to do.
func (s *Set[V]) compare(values map[string]V, check func(string, V) error) (added, dropped []Entry[V], err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var wrong []Entry[error]
	common := 0
	for place := range s.n {
		old := s.at(place)
		v, stays := values[old.Name]
		if stays {
			common++
			if v == old.Value {
				continue
			}
			if err := check(old.Name, v); err != nil {
				wrong = append(wrong, Entry[error]{old.Name, err})
				continue
			}
			added = append(added, Entry[V]{old.Name, v})
		}
		dropped = append(dropped, *old)
	}
	fresh := len(values) - common
	added = slices.Grow(added, fresh)
	for name, v := range values {
		if fresh == 0 {
			break
		}
		if _, known := s.places[name]; known {
			continue
		}
		fresh--
		if err := check(name, v); err != nil {
			wrong = append(wrong, Entry[error]{name, err})
			continue
		}
		added = append(added, Entry[V]{name, v})
	}
	return added, dropped, join(wrong)
}

func join(wrong []Entry[error]) error {
	slices.SortFunc(wrong, func(a, b Entry[error]) int { return cmp.Compare(a.Name, b.Name) })
	var errs []error
	for _, e := range wrong {
		errs = append(errs, e.Value)
	}
	return errors.Join(errs...)
}

// at returns the entry in a place, to read.
func (s *Set[V]) at(place int) *Entry[V] {
	return &s.blocks[place/blockSize].entries[place%blockSize]
}

// own returns the entry in a place, to write to.
func (s *Set[V]) own(place int) *Entry[V] {
	b := &s.blocks[place/blockSize]
	if era := s.era.Load(); (*b).era < era {
		mine := **b
		mine.era = era
		*b = &mine
	}
	return &(*b).entries[place%blockSize]
}

func (s *Set[V]) put(name string, v V) {
	if at, known := s.places[name]; known {
		if s.at(at).Value != v {
			s.own(at).Value = v
		}
		return
	}
	if s.places == nil {
		s.places = make(map[string]int)
	}
	if s.n == len(s.blocks)*blockSize {
		s.blocks = append(s.blocks, &block[V]{era: s.era.Load()})
	}
	s.places[name] = s.n
	*s.own(s.n) = Entry[V]{name, v}
	s.n++
	s.most = max(s.most, s.n)
}

func (s *Set[V]) drop(name string) (v V, had bool) {
	place, had := s.places[name]
	if !had {
		return v, false
	}
	v = s.at(place).Value
	s.n--
	if place != s.n {
		last := *s.at(s.n)
		*s.own(place) = last
		s.places[last.Name] = place
	}
	delete(s.places, name)
	*s.own(s.n) = Entry[V]{}
	s.shrink()
	return v, true
}

// shrink gives memory back after many drops: a map never does by itself. One
// block that is not needed stays, for the next one who comes.
func (s *Set[V]) shrink() {
	if last := len(s.blocks) - 1; s.n <= (last-1)*blockSize {
		s.blocks[last] = nil
		s.blocks = s.blocks[:last]
	}
	if s.most < 1024 || s.n > s.most/4 {
		return
	}
	places := make(map[string]int, s.n)
	for place := range s.n {
		places[s.at(place).Name] = place
	}
	s.places, s.most, s.blocks = places, s.n, slices.Clone(s.blocks)
}
