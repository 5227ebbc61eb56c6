package roam

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A view that applies all changes is the pool, whatever is equal in it.
func TestApply(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	v := View{Max: 10}
	var kept []Held
	for range 5000 {
		h := Held{fmt.Sprint(random.IntN(3)), random.IntN(4)}
		switch n := random.IntN(4); {
		case len(kept) < v.Max && n > 0:
			kept = append(kept, h)
			v.Apply(Change{Kind: Kept, Held: h})
		case len(kept) > 0:
			at := random.IntN(len(kept))
			out := kept[at]
			kept = slices.Delete(kept, at, at+1)
			switch n {
			case 0, 1:
				kept = append(kept, h)
				v.Apply(Change{Kind: Replaced, Held: out, By: h})
			case 2:
				v.Apply(Change{Kind: Lost, Held: out})
			default:
				v.Apply(Change{Kind: Closed, Held: out})
			}
		}
		v.Apply(Change{Kind: Lent, Held: h})
		v.Apply(Change{Kind: Returned, Held: h})
		want := map[Held]int{}
		for _, k := range kept {
			want[k]++
		}
		for _, k := range v.Kept {
			want[k]--
		}
		for k, n := range want {
			if n != 0 {
				t.Fatalf("%d of %v too few in %v", n, k, v.Kept)
			}
		}
		if !slices.IsSortedFunc(v.Kept, func(a, b Held) int { return a.Slot - b.Slot }) {
			t.Fatalf("not by slot: %v", v.Kept)
		}
	}
	v.Apply(Change{Kind: Waiting})
	v.Apply(Change{Kind: Waiting})
	v.Apply(Change{Kind: Satisfied})
	equal(t, "waiting", v.Waiting, 1)
	v.Apply(Change{Kind: Satisfied})
	v.Apply(Change{Kind: Satisfied}) // it waited before anybody listened
	equal(t, "waiting", v.Waiting, 0)
	v.Apply(Change{Kind: Resized, Max: 7})
	equal(t, "max", v.Max, 7)
	equal(t, "short", View{Max: 1, Kept: v.Kept}.Short(), 0)
}

// Of connections with the same slot the longest held is the last, and goes first.
func TestTheLongestHeldIsLast(t *testing.T) {
	var v View
	for _, id := range []string{"a", "b", "c"} {
		v.Apply(Change{Kind: Kept, Held: Held{id, 4}})
	}
	equal(t, "order", fmt.Sprint(v.Kept), "[{c 4} {b 4} {a 4}]")
}

func TestCount(t *testing.T) {
	v := View{Kept: []Held{{"a", 1}, {"a", 3}, {"b", 3}, {"a", 3}, {"a", 4}}}
	for h, want := range map[Held]int{{"a", 1}: 1, {"a", 3}: 2, {"b", 3}: 1, {"b", 4}: 0, {"a", 5}: 0, {"a", 0}: 0} {
		equal(t, fmt.Sprint(h), v.count(h.ID, h.Slot), want)
	}
	equal(t, "worst", v.worst(), 4)
	equal(t, "worst of none", View{}.worst(), -1)
}

func TestChangeIsReadable(t *testing.T) {
	h := Held{"a", 3}
	for want, c := range map[string]Change{
		`kept slot 3 of "a"`:                      {Kind: Kept, Held: h},
		`replaced slot 3 of "a" by slot 1 of "b"`: {Kind: Replaced, Held: h, By: Held{"b", 1}},
		`lost slot 3 of "a": gone`:                {Kind: Lost, Held: h, Cause: errors.New("gone")},
		`waiting`:                                 {Kind: Waiting},
		`satisfied`:                               {Kind: Satisfied, Took: time.Second},
		`returned slot 3 of "a"`:                  {Kind: Returned, Held: h},
		`suspended slot 3 of "a": gone`:           {Kind: Suspended, Held: h, Cause: errors.New("gone")},
		`resized to 4`:                            {Kind: Resized, Max: 4},
		`Kind(13) slot 3 of "a"`:                  {Kind: 13, Held: h},
	} {
		equal(t, "change", c.String(), want)
	}
	b, err := json.Marshal(Change{Kind: Lent, Held: h})
	if want := `{"Kind":"lent","ID":"a","Slot":3,`; err != nil || string(b[:len(want)]) != want {
		t.Errorf("%s, %v", b, err)
	}
}
