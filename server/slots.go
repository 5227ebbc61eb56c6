package server

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sync"
)

// ErrNotTaken is what Slots.Put returns, wrapped, for a slot that is not taken.
var ErrNotTaken = errors.New("server: slot is not taken")

// Slots gives out the lowest free number, from 0 up. The zero value has every
// slot free and is ready for use, by any number of goroutines; do not copy it.
//
// It is a tree of bitmaps, 64 children a node: both Get and Put touch one word
// a level, four at a million slots. It takes a bit for each slot up to the
// highest that was ever given.
type Slots struct {
	mu sync.Mutex

	// levels[0] has a bit for each slot, set when it is taken. Each level above
	// has a bit for each word of the one below, set when that word is full. The
	// top is one word that is never full; words not there yet are empty.
	levels [][]uint64

	given int // slots below this were given at least once
	inUse int
}

const full = math.MaxUint64

// Get takes the lowest free slot. It never fails: there is always a next one.
func (s *Slots) Get() int {
	s.mu.Lock()
	defer s.mu.Unlock()

	slot := 0
	for level := len(s.levels) - 1; level >= 0; level-- {
		if slot == len(s.levels[level]) {
			s.levels[level] = append(s.levels[level], 0)
		}
		slot = slot<<6 | bits.TrailingZeros64(^s.levels[level][slot])
	}
	s.take(slot)
	s.given = max(s.given, slot+1)
	s.inUse++
	return slot
}

// take sets the slot's bit, and above it the bit of each word this has filled.
// A top that is full gets a level above it.
func (s *Slots) take(bit int) {
	for _, words := range s.levels {
		word := &words[bit>>6]
		*word |= 1 << (bit & 63)
		if *word != full {
			return
		}
		bit >>= 6
	}
	s.levels = append(s.levels, []uint64{1})
}

// Put gives back a slot that Get has given. For one that was never given, or
// was given back already, the error wraps ErrNotTaken and nothing changes.
func (s *Slots) Put(slot int) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if slot < 0 || slot >= s.given {
		return fmt.Errorf("%w: %d was never given", ErrNotTaken, slot)
	}
	if s.levels[0][slot>>6]&(1<<(slot&63)) == 0 {
		return fmt.Errorf("%w: %d was given back already", ErrNotTaken, slot)
	}
	s.free(slot)
	s.inUse--
	return nil
}

// free clears the slot's bit, and above it the bit of each word that was full.
func (s *Slots) free(bit int) {
	for _, words := range s.levels {
		word := &words[bit>>6]
		before := *word
		*word &^= 1 << (bit & 63)
		if before != full {
			return
		}
		bit >>= 6
	}
}

// InUse is how many slots are taken.
func (s *Slots) InUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inUse
}

// look is how many slots are taken, the lowest that is free, and the highest
// that was ever given, -1 if none.
func (s *Slots) look() (inUse, free, highest int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for level := len(s.levels) - 1; level >= 0; level-- {
		if free == len(s.levels[level]) { // a word that is not there yet is empty, and so is all below
			free <<= 6 * (level + 1)
			break
		}
		free = free<<6 | bits.TrailingZeros64(^s.levels[level][free])
	}
	return s.inUse, free, s.given - 1
}
