package simulate

import (
	"math"
	"math/bits"

	"github.com/callosum-go/rover/roam"
)

// A server gives out its lowest free slot, and says so in its own way.
type server struct {
	name       string
	generation int32 // counts its restarts: what was of the last one is gone
	alive      bool
	listed     bool
	late       float64 // of its line

	weight float64
	born   float64
	slow   float64 // its weight grows over this time from born; 0: at once
	lies   bool    // it says 0, always
	drains bool    // it says that it wants to be left
	silent bool    // it answers nothing, not even that nobody is there

	taken   []uint64 // slots, one bit each
	kept    int      // connections that clients count as theirs
	accepts int      // since the last whole interval
}

func (s *server) take() int32 {
	for i, word := range s.taken {
		if word != ^uint64(0) {
			bit := bits.TrailingZeros64(^word)
			s.taken[i] |= 1 << bit
			return int32(i*64 + bit)
		}
	}
	s.taken = append(s.taken, 1)
	return int32(64 * (len(s.taken) - 1))
}

func (s *server) free(slot int32) { s.taken[slot/64] &^= 1 << (slot % 64) }

// announce is what the line says of a slot: the load once it is taken, less
// one, in units of weight 1.
func (s *server) announce(slot int32, now float64) int {
	switch {
	case s.lies:
		return 0
	case s.drains:
		return roam.Drain
	}
	weight := s.weight
	if s.slow > 0 {
		weight *= min(1, max(0.1, (now-s.born)/s.slow))
	}
	if weight == 1 {
		return int(slot)
	}
	const rounding = 1e-9
	return int(math.Ceil(float64(slot+1)/weight-rounding)) - 1
}

// die ends all its connections.
func (s *server) die() {
	s.alive, s.taken, s.kept = false, nil, 0
	s.generation++
}
