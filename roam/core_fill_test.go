package roam

import (
	"fmt"
	"testing"
)

// An empty pool is filled at once: with at most 16 dials in flight.
func TestFill(t *testing.T) {
	for most, want := range map[int]int{1: 1, 10: 10, 16: 16, 40: 16} {
		c := newCore(t, Config{}, 50)
		dials := c.Wake(0, View{Max: most})
		equal(t, "dials", len(dials), want)
		met := map[int32]bool{}
		for _, d := range dials {
			equal(t, "reason", d.Reason, Fill)
			met[d.Server] = true
		}
		equal(t, "servers", len(met), want)
	}
}

// A fill without an answer is made up for after half an interval to three
// quarters, each at a time of its own.
func TestLateFill(t *testing.T) {
	c := newCore(t, Config{}, 50)
	v := View{Max: 3}
	equal(t, "dials", len(c.Wake(0, v)), 3)
	equal(t, "too early", len(c.Wake(0.4, v)), 0)
	last := Time(0.5)
	for range 3 {
		now := c.Next()
		if now <= last || now > 0.75 {
			t.Errorf("late at %v, after %v", now, last)
		}
		equal(t, "late", len(c.Wake(now, v)), 1)
		last = now
	}
}

// A fill that is refused is followed by another; the eighth offer is taken
// whatever it is.
func TestRefusedFills(t *testing.T) {
	c := newCore(t, Config{}, 50)
	settle(c, 2)
	v := View{Max: 2, Kept: []Held{{"a", 1}}}
	c.short = 0
	dials := c.Wake(0, v)
	for i := range 9 {
		equal(t, "dials", len(dials), 1)
		d := dials[0]
		verdict := c.Choose(0.1, v, Offer{fmt.Sprint(d.Server), 9, d})
		equal(t, fmt.Sprint("kept, after ", i), verdict.Kept(), i == 8)
		if verdict.Kept() {
			return
		}
		dials = c.Answer(0.1, d, 9, verdict, v)
	}
}

// Patience begins when a pool that was full is not.
func TestPatience(t *testing.T) {
	offer := Offer{"x", 11, Dial{1, Fill, 77}}
	v := View{Max: 3, Kept: pool(1, 2).Kept}
	for _, begin := range []func(*Core){
		func(c *Core) { c.Lost(50, -1) },
		func(c *Core) { c.Closed(50, v) },
	} {
		c := newCore(t, Config{}, 40)
		settle(c, 9)
		equal(t, "at first", c.Choose(0.1, v, offer).Kept(), true)
		begin(c)
		equal(t, "patient", c.Choose(50.29, v, offer).Kept(), false)
		equal(t, "no more", c.Choose(50.3, v, offer).Kept(), true)
	}
}

// While a pool is short, the interval is short.
func TestShortIsUrgent(t *testing.T) {
	c := newCore(t, Config{}, 40)
	c.stretch, c.idle = 16, 100
	c.Answer(1, Dial{3, Cycle, 99}, 20, Verdict{}, View{Max: 1})
	equal(t, "stretch", c.stretch, 1)
	equal(t, "idle", c.idle, 0)
}

// What a borrower closed, and what somebody waits for, is dialed at once.
func TestClosedAndNeed(t *testing.T) {
	c := newCore(t, Config{}, 10)
	v := View{Max: 3, Kept: pool(1, 2).Kept}
	equal(t, "closed", len(c.Closed(5, v)), 1)
	equal(t, "one is in flight", len(c.Closed(5, v)), 0)
	c = newCore(t, Config{}, 10)
	c.Lost(5, -1)
	equal(t, "need", len(c.Need(5, v)), 1)
	equal(t, "need in a full pool", len(c.Need(5, pool(1, 2))), 0)
}
