package roam

import "testing"

// A server that is of no use is not dialed for a while, then once, and when it
// is well again until it has its share.
func TestSuspended(t *testing.T) {
	c := newCore(t, Config{}, 3)
	v := View{Max: 2, Kept: []Held{{"a", 1}, {"a", 1}}}
	now := Time(0)
	run := func(until Time) (to map[int32]int, back []Dial) {
		to = map[int32]int{}
		for c.Next() <= until {
			now = max(now, c.Next())
			for _, d := range append([]Dial(nil), c.Wake(now, v)...) {
				to[d.Server]++
				if d.Reason == Comeback {
					back = append(back, d)
				}
				c.Answer(now, d, 1, Verdict{}, v)
			}
		}
		now = until
		return to, back
	}
	run(200)
	c.Suspended(now, 1, 30)
	to, _ := run(now + 29.9)
	equal(t, "dials while it is left alone", to[1], 0)
	if to[0]+to[2] == 0 {
		t.Error("nobody is dialed")
	}
	_, back := run(now + 0.2)
	if len(back) != 1 || back[0].Server != 1 {
		t.Errorf("dials when it may be: %v", back)
	}
	dials := c.Trusted(now, 1, v)
	for n := range 3 {
		if len(dials) != 1 || dials[0].Server != 1 || dials[0].Reason != Comeback {
			t.Fatalf("dial %d: %v", n, dials)
		}
		if n < 1 {
			dials = append([]Dial(nil), c.Answer(now, dials[0], 0, Verdict{Choice: Replace}, v)...)
			continue
		}
		c.Answer(now, dials[0], 1, Verdict{}, v)
		break
	}
	if c.debts.of(1) != nil {
		t.Error("it is owed something when its offer was refused")
	}
	c.Suspended(now, -1, 30) // left the set meanwhile
	equal(t, "dials for one that is gone", len(c.Trusted(now, -1, v)), 0)
	equal(t, "debts", len(c.debts), 0)
}
