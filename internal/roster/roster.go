package roster

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// ErrEmpty is what Pick returns when there is nothing to pick from.
var ErrEmpty = errors.New("roster: empty")

// A Roster is the set in force, which can be replaced as a whole, and a
// stream of the sets that come into force.
type Roster[V any] struct {
	now  atomic.Pointer[Set[V]]
	sets *hot.Subject // of *Set[V]
}

// New makes a roster with the first set.
func New[V any](first map[string]V) *Roster[V] {
	r := &Roster[V]{sets: hot.NewSubject(hot.WithQueue(1), hot.WithLatest())}
	r.Replace(first)
	return r
}

// Replace puts a set in force, in the place of the last one.
func (r *Roster[V]) Replace(values map[string]V) {
	now := Of(values)
	r.now.Store(now)
	r.sets.Publish(now)
}

// Set returns the set in force.
func (r *Roster[V]) Set() *Set[V] { return r.now.Load() }

// Sets emits the set in force and each one that follows, as *Set[V].
func (r *Roster[V]) Sets() rxgo.Observable { return r.sets.Observable() }

// Pick returns one value of the set: choose is given how many there are and
// returns a number from 0 to n-1. The errors are ErrEmpty and what is wrong
// with that number.
func (s *Set[V]) Pick(choose func(n int) int) (v V, err error) {
	for {
		n := s.Len()
		if n == 0 {
			return v, ErrEmpty
		}
		i := choose(n) // outside the lock: it is not ours
		if i < 0 || i >= n {
			return v, fmt.Errorf("rover: pick returned %d for %d servers, want 0 to %d", i, n, n-1)
		}
		if v, ok := s.at(i); ok { // else one was dropped meanwhile
			return v, nil
		}
	}
}
