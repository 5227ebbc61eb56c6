package server_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// The model: a list of booleans, searched from the start.
func TestSlotsDoWhatANaiveListDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var slots server.Slots
		var taken []bool
		get := func() {
			want := slices.Index(taken, false)
			if want < 0 {
				want = len(taken)
				taken = append(taken, true)
			}
			taken[want] = true
			if got := slots.Get(); got != want {
				t.Fatalf("Get: got %d, want %d", got, want)
			}
		}
		put := func(slot int) {
			ours := slot >= 0 && slot < len(taken) && taken[slot]
			err := slots.Put(slot)
			if ours {
				taken[slot] = false
			}
			if (err == nil) != ours || (err != nil && !errors.Is(err, server.ErrNotTaken)) {
				t.Fatalf("Put(%d): %v, taken %v", slot, err, ours)
			}
		}
		// The tree grows at 64 and 4096: begin around there, too.
		repeat(rapid.SampledFrom([]int{0, 60, 4090}).Draw(t, "taken at first"), get)
		t.Repeat(map[string]func(*rapid.T){
			"get":  func(t *rapid.T) { repeat(rapid.IntRange(1, 9).Draw(t, "times"), get) },
			"put":  func(t *rapid.T) { put(rapid.IntRange(-1, len(taken)).Draw(t, "slot")) },
			"any":  func(t *rapid.T) { put(rapid.Int().Draw(t, "slot")) },
			"both": func(*rapid.T) { put(len(taken) - 1); get() },
			"range": func(t *rapid.T) {
				from := rapid.IntRange(0, len(taken)).Draw(t, "from")
				for slot := range rapid.IntRange(0, min(130, len(taken)-from)).Draw(t, "slots") {
					put(from + slot)
				}
			},
			"": func(t *rapid.T) {
				inUse := 0
				for _, is := range taken {
					if is {
						inUse++
					}
				}
				if slots.InUse() != inUse {
					t.Fatalf("InUse: got %d, want %d", slots.InUse(), inUse)
				}
			},
		})
	})
}

func repeat(n int, f func()) {
	for range n {
		f()
	}
}

// A million slots make the tree four levels high, over each seam between words.
func TestSlotsAtAMillion(t *testing.T) {
	const n = 1_000_000
	var slots server.Slots
	for want := range n {
		if got := slots.Get(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	seams := []int{0, 63, 64, 4095, 4096, 262143, 262144, n - 1}
	for _, slot := range slices.Backward(seams) {
		kit.Check(t, slots.Put(slot))
		kit.Equal(t, "the one free slot", slots.Get(), slot)
	}
	for _, slot := range slices.Backward(seams) {
		kit.Check(t, slots.Put(slot))
	}
	for _, slot := range seams {
		kit.Equal(t, "the lowest free slot", slots.Get(), slot)
	}
	kit.Equal(t, "the next new slot", slots.Get(), n)
	for slot := range n + 1 {
		kit.Check(t, slots.Put(slot))
	}
	kit.Equal(t, "in use", slots.InUse(), 0)
	kit.Equal(t, "after all", slots.Get(), 0)
}

func TestSlotsNobodyHasAreRefused(t *testing.T) {
	var slots server.Slots
	slots.Get()
	slots.Get()
	kit.Check(t, slots.Put(0))
	for slot, want := range map[int]string{
		0:           "server: slot is not taken: 0 was given back already",
		2:           "server: slot is not taken: 2 was never given",
		-1:          "server: slot is not taken: -1 was never given",
		math.MaxInt: strconv.Itoa(math.MaxInt) + " was never given",
		math.MinInt: strconv.Itoa(math.MinInt) + " was never given",
	} {
		err := slots.Put(slot)
		if !errors.Is(err, server.ErrNotTaken) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Put(%d): got %v, want %s", slot, err, want)
		}
	}
	kit.Equal(t, "in use", slots.InUse(), 1)
	kit.Equal(t, "lowest", slots.Get(), 0)
	kit.Equal(t, "next", slots.Get(), 2)
}

// No slot has two owners, and none is lost.
func TestSlotsOfManyGoroutines(t *testing.T) {
	const goroutines, rounds = 16, 500
	var slots server.Slots
	var owned [4 * goroutines]atomic.Bool
	var tasks sync.WaitGroup
	for g := range goroutines {
		tasks.Go(func() {
			var mine []int
			for round := range rounds {
				for len(mine) < 1+(g+round)%4 {
					slot := slots.Get()
					if owned[slot].Swap(true) {
						t.Errorf("slot %d has two owners", slot)
					}
					mine = append(mine, slot)
				}
				last := len(mine) - 1
				owned[mine[last]].Store(false)
				if err := slots.Put(mine[last]); err != nil {
					t.Error(err)
				}
				mine = mine[:last]
			}
			for _, slot := range mine {
				owned[slot].Store(false)
				if err := slots.Put(slot); err != nil {
					t.Error(err)
				}
			}
		})
	}
	tasks.Wait()
	kit.Equal(t, "in use", slots.InUse(), 0)
	kit.Equal(t, "lowest", slots.Get(), 0)
}
