package roam

import (
	"cmp"
	"slices"
	"sort"
)

// A Held is one connection that a pool keeps.
type Held struct {
	ID   string // of the server
	Slot int
}

// A View is a pool as it is now. What it shares with the pool may be read
// only until the call that got it returns.
type View struct {
	Max     int    // how many the pool keeps at most
	Kept    []Held // lent ones included, by slot, lowest first
	Waiting int    // who waits for a connection
}

// Short is by how many connections the pool is below Max.
func (v View) Short() int { return max(v.Max-len(v.Kept), 0) }

// worst is the highest slot, -1 if there is none.
func (v View) worst() int {
	if len(v.Kept) == 0 {
		return -1
	}
	return v.Kept[len(v.Kept)-1].Slot
}

// count returns how many connections have the server and the slot.
func (v View) count(id string, slot int) (n int) {
	at := sort.Search(len(v.Kept), func(i int) bool { return v.Kept[i].Slot >= slot })
	for _, h := range v.Kept[at:] {
		if h.Slot != slot {
			break
		}
		if h.ID == id {
			n++
		}
	}
	return n
}

// Apply makes the view what it is after the change. A view that has applied
// every change of a pool, in order, is the pool as its changes say: nobody has
// to guess what it did.
func (v *View) Apply(c Change) {
	switch c.Kind {
	case Kept:
		v.add(c.Held)
	case Replaced, Rerated:
		v.remove(c.Held)
		v.add(c.By)
	case Lost, Closed:
		v.remove(c.Held)
	case Resized:
		v.Max = c.Max
	case Waiting:
		v.Waiting++
	case Satisfied:
		v.Waiting = max(v.Waiting-1, 0)
	}
}

// add puts h before those of the same slot: the longest held of them is last,
// and goes first.
func (v *View) add(h Held) {
	at, _ := slices.BinarySearchFunc(v.Kept, h.Slot, func(k Held, slot int) int { return cmp.Compare(k.Slot, slot) })
	v.Kept = slices.Insert(v.Kept, at, h)
}

func (v *View) remove(h Held) {
	if at := slices.Index(v.Kept, h); at >= 0 {
		v.Kept = slices.Delete(v.Kept, at, at+1)
	}
}

// A Verdict is what becomes of an offer. The zero value refuses it.
type Verdict struct {
	Choice Choice
	Victim int // with Replace: who goes, as an index of the view's Kept
}

// A Choice is the kind of a verdict.
type Choice int

const (
	Refuse  Choice = iota // decline the offer
	Keep                  // keep it, there is room
	Replace               // keep it instead of the victim
)

// Kept is true to a verdict that keeps the offer.
func (v Verdict) Kept() bool { return v.Choice != Refuse }
