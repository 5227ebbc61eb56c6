package roam

import (
	"slices"
	"testing"
)

// Each round meets everyone once, in an order of its own.
func TestCycle(t *testing.T) {
	var c cycle
	c.add([]int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	random := seeded()
	round := func() (met []int32) {
		for range c.size() {
			s, some := c.next(random)
			if !some {
				t.Fatal("nobody there")
			}
			met = append(met, s)
		}
		return met
	}
	first, second := round(), round()
	equal(t, "same order", slices.Equal(first, second), false)
	for _, met := range [][]int32{first, second} {
		slices.Sort(met)
		equal(t, "met", slices.Equal(met, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), true)
	}
}

// A round in which some leave and some come meets whoever stays, but nobody
// that left, and nobody twice.
func TestCycleChanges(t *testing.T) {
	random := seeded()
	for range 200 {
		var c cycle
		in := map[int32]bool{}
		for s := range int32(20) {
			in[s] = true
			c.add([]int32{s})
		}
		met := map[int32]int{}
		for range 8 {
			s, _ := c.next(random)
			met[s]++
		}
		for range 3 {
			s := int32(random.IntN(20))
			if in[s] {
				c.drop([]int32{s})
				delete(in, s)
			}
		}
		came := int32(random.IntN(22))
		if !in[came] {
			c.add([]int32{came})
			in[came] = true
		}
		equal(t, "size", c.size(), len(in))
		for range 40 * len(in) {
			s, _ := c.next(random)
			if !in[s] {
				t.Fatalf("%d left", s)
			}
			met[s]++
		}
		for s := range in {
			if met[s] < 39 || met[s] > 42 {
				t.Errorf("%d was met %d times, others 40 or 41 times", s, met[s])
			}
		}
	}
}

// Who left is forgotten, so that memory is what the set needs.
func TestCycleSweeps(t *testing.T) {
	var c cycle
	for s := range int32(100_000) {
		c.add([]int32{s})
		if s >= 10 {
			c.drop([]int32{s - 10})
		}
	}
	equal(t, "size", c.size(), 10)
	if len(c.order) > 25 || len(c.gone) > 15 {
		t.Errorf("%d in order, %d gone, want a few", len(c.order), len(c.gone))
	}
	c.drop([]int32{99_990, 99_991, 99_992, 99_993, 99_994, 99_995, 99_996, 99_997, 99_998, 99_999})
	_, some := c.next(seeded())
	equal(t, "somebody", some, false)
	equal(t, "size", c.size(), 0)
}
