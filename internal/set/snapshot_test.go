package set

import (
	"fmt"
	"testing"
)

// What a copy is made of stays as it was when it was begun, whatever is written.
func TestASnapshotStays(t *testing.T) {
	var s Set[int]
	for i := range 3 * blockSize {
		s.Add(fmt.Sprint(i), i)
	}
	s.All() // begins an era
	blocks := append([]*block[int](nil), s.blocks...)
	var before []block[int]
	for _, b := range blocks {
		before = append(before, *b)
	}
	for i := range blockSize {
		s.Add(fmt.Sprint(i), -1)
		s.Drop(fmt.Sprint(i + blockSize))
	}
	for i, b := range blocks {
		if *b != before[i] {
			t.Errorf("block %d of a snapshot was written to", i)
		}
	}
}
