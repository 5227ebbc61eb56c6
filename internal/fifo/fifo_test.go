package fifo

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The list beside a slice, through a long walk of pushes and removals.
func TestAListIsASliceWithoutHoles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list List[int]
	var want []*Node[int]
	for i := range 2000 {
		switch {
		case len(want) == 0 || r.IntN(2) == 0:
			n := &Node[int]{Thing: i}
			list.Push(n)
			want = append(want, n)
		default:
			at := []int{0, len(want) - 1, r.IntN(len(want))}[r.IntN(3)]
			n := want[at]
			want = slices.Delete(want, at, at+1)
			if !list.Remove(n) || list.Remove(n) {
				t.Fatal("a node is removed once")
			}
			if r.IntN(3) == 0 { // and may come back
				list.Push(n)
				want = append(want, n)
			}
		}
		if len(want) > 0 && r.IntN(4) == 0 {
			at := r.IntN(len(want))
			n := want[at]
			want = append(slices.Delete(want, at, at+1), n)
			if out := (&Node[int]{}); !list.ToEnd(n) || list.ToEnd(out) {
				t.Fatal("what is in the list goes to the end, and nothing else")
			}
		}
		var got []*Node[int]
		for n := list.First(); n != nil; n = n.Next() {
			got = append(got, n)
		}
		if !slices.Equal(got, want) || list.Len() != len(want) {
			t.Fatalf("step %d: got %d nodes, Len %d, want %d", i, len(got), list.Len(), len(want))
		}
	}
}

// What was removed keeps nothing of the list in memory.
func TestANodeThatIsOutHoldsNothing(t *testing.T) {
	var list List[int]
	a, b, c := &Node[int]{}, &Node[int]{}, &Node[int]{}
	list.Push(a)
	list.Push(b)
	list.Push(c)
	list.Remove(b)
	if b.next != nil || b.prev != nil {
		t.Error("a removed node points into the list")
	}
}
