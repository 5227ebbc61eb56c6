package roam

import (
	"fmt"
	"testing"
)

// settle makes a core believe that a slot is the fair share.
func settle(c *Core, slot int) {
	for range remembered {
		c.estimate.add(slot)
	}
}

func TestChoose(t *testing.T) {
	replace := Verdict{Replace, 3}
	keep, refuse := Verdict{Choice: Keep}, Verdict{}
	short := func(slots ...int) View {
		v := pool(slots...)
		v.Max++
		return v
	}
	for _, c := range []struct {
		name    string
		view    View
		slot    int
		reason  Reason
		prepare func(c *Core)
		want    Verdict
	}{
		{"lower, and the gate is open", pool(1, 2, 3, 10), 9, Cycle, nil, replace},
		{"lower, and the gate is shut", pool(1, 2, 3, 6), 4, Cycle, nil, refuse},
		{"the gate is 1.5 below the estimate", pool(1, 2, 3, 7), 4, Cycle, nil, replace},
		{"a comeback needs no gate", pool(1, 2, 3, 6), 5, Comeback, nil, replace},
		{"a comeback that is no better", pool(1, 2, 3, 6), 6, Comeback, nil, refuse},
		{"equal is not better", pool(1, 2, 3, 10), 10, Cycle, nil, refuse},
		{"higher", pool(1, 2, 3, 10), 11, Cycle, nil, refuse},
		{"slot 0 stays", pool(0, 0, 0, 0), 0, Comeback, nil, refuse},
		{"urgent, and not good: look on", pool(1, 2, 3, 14), 11, Cycle, nil, refuse},
		{"urgent, and not good, but the last try", pool(1, 2, 3, 14), 11, Cycle, func(c *Core) { c.tries = 8 }, replace},
		{"urgent and good", pool(1, 2, 3, 14), 9, Cycle, nil, replace},
		{"not urgent: any that is better", pool(1, 2, 3, 10), 9, Cycle, func(c *Core) { c.estimate.scale(10.6 / 9) }, replace},

		{"room, good", short(1, 2, 3), 9, Fill, nil, keep},
		{"room, not good", short(1, 2, 3), 11, Fill, nil, refuse},
		{"room, not good, tried", short(1, 2, 3), 11, Fill, func(c *Core) { c.tries = 8 }, keep},
		{"room, not good, patience is over", short(1, 2, 3), 11, Fill, func(c *Core) { c.short = 49.7 }, keep},
		{"room, not good, nothing else", short(), 11, Fill, nil, keep},
		{"room, not good, who knows", short(1, 2, 3), 11, Fill, func(c *Core) { c.estimate = estimate{}; c.estimate.add(3); c.estimate.add(3) }, keep},
		{"room, not good, somebody waits", func() View { v := short(1, 2, 3); v.Waiting = 1; return v }(), 11, Fill, nil, keep},

		{"drain mark", pool(1, 2, 3, 10), Drain, Cycle, nil, refuse},
		{"drain mark, room, tried", short(1, 2, 3), Drain, Fill, func(c *Core) { c.tries = 8 }, refuse},
		{"drain mark, nothing else", short(), Drain, Fill, nil, keep},
		{"away from a drain mark", pool(1, 2, 3, Drain), 9, Cycle, nil, replace},
		{"the second of a number", pool(1, 2, 5, 10), 5, Cycle, func(*Core) {}, replace},
	} {
		t.Run(c.name, func(t *testing.T) {
			core := newCore(t, Config{}, 10)
			settle(core, 9)
			core.short = 49.8
			if c.prepare != nil {
				c.prepare(core)
			}
			got := core.Choose(50, c.view, Offer{"c", c.slot, Dial{2, c.reason, 77}})
			equal(t, "verdict", got, c.want)
		})
	}
}

// A server that gives a number for the third time lies.
func TestTwins(t *testing.T) {
	core := newCore(t, Config{}, 10)
	settle(core, 9)
	v := View{Max: 5, Kept: []Held{{"liar", 0}, {"liar", 0}, {"b", 4}, {"b", 20}}}
	o := Offer{"liar", 0, Dial{2, Cycle, 77}}
	equal(t, "with room", core.Choose(50, v, o), Verdict{})
	v.Max = 4
	equal(t, "in place of another", core.Choose(50, v, o), Verdict{})
	o.ID = "b"
	equal(t, "another's", core.Choose(50, v, o), Verdict{Replace, 3})
}

// Whether the answer or the question comes first makes no difference: an offer
// counts in the estimate, and once.
func TestChooseBeforeOrAfterAnswer(t *testing.T) {
	v := pool(1, 2, 3, 20)
	c := newCore(t, Config{}, 10)
	for _, slot := range []int{24, 0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10} {
		c.estimate.add(slot)
	}
	d := c.Wake(0, v)[0]
	o := Offer{fmt.Sprint(d.Server), 10, d}
	// The mean is 10.3, 9.3 with the offer, 10 if it were counted twice.
	equal(t, "before", c.Choose(1, v, o), Verdict{})
	c.Answer(1, d, 10, Verdict{}, v)
	equal(t, "after", c.Choose(1, v, o), Verdict{})
}

func TestState(t *testing.T) {
	core := newCore(t, Config{}, 10)
	equal(t, "at first", core.State(View{Max: 1}), State{0, -1, 1, false, 0})
	settle(core, 9)
	core.stretch = 4
	equal(t, "at rest", core.State(pool(1, 2, 10)), State{9, 2, 4, true, 0})
	equal(t, "all at 0", core.State(pool(0, 0)), State{9, -1, 4, true, 0})
	equal(t, "short", core.State(View{Max: 1}), State{9, -1, 4, false, 0})
}
