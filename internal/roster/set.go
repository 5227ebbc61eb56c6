// Package roster holds a changing set of values with names, from which one is
// picked by number. Add, drop and pick cost the same at ten values and at a
// million: the values lie in a slice without holes, and a dropped one's place
// is taken by the last.
package roster

import "sync"

// A Set is safe for many goroutines. The zero value is empty and ready.
type Set[V any] struct {
	mu     sync.RWMutex
	places map[string]int // name → its place in names and values
	names  []string
	values []V
}

// Of makes a set of the values, whose map it does not keep.
func Of[V any](values map[string]V) *Set[V] {
	s := &Set[V]{}
	for name, v := range values {
		s.Add(name, v)
	}
	return s
}

// Add puts v into the set, in the place of what had the name before.
func (s *Set[V]) Add(name string, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.places[name]; ok {
		s.values[at] = v
		return
	}
	if s.places == nil {
		s.places = make(map[string]int)
	}
	s.places[name] = len(s.values)
	s.names = append(s.names, name)
	s.values = append(s.values, v)
}

// Drop takes the value with the name out, and says whether there was one.
func (s *Set[V]) Drop(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.places[name]
	if !ok {
		return false
	}
	last := len(s.values) - 1
	s.names[at], s.values[at] = s.names[last], s.values[last]
	s.places[s.names[at]] = at
	delete(s.places, name)
	clear(s.names[last:])
	clear(s.values[last:])
	s.names, s.values = s.names[:last], s.values[:last]
	return true
}

// Len returns how many values there are.
func (s *Set[V]) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.values)
}

// at returns the value in a place from 0 to Len()-1; false beyond, as after
// a drop by somebody else.
func (s *Set[V]) at(place int) (v V, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if place < 0 || place >= len(s.values) {
		return v, false
	}
	return s.values[place], true
}

// All returns a copy.
func (s *Set[V]) All() map[string]V {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[string]V, len(s.values))
	for i, name := range s.names {
		all[name] = s.values[i]
	}
	return all
}
