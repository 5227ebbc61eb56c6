package roam

import (
	"fmt"
	"testing"
)

// What failed is not dialed for a while, and a pool that is short goes on
// soon. A number that is used again has not failed.
func TestFail(t *testing.T) {
	c := newCore(t, Config{}, 40)
	v := View{Max: 2, Kept: pool(1).Kept}
	d := c.Wake(0, v)[0]
	c.beat, c.stretch = 16, 16
	next := c.Fail(0.1, d, v)
	equal(t, "dials", len(next), 1)
	equal(t, "stretch", c.stretch, 1)
	if c.beat > 1.3 {
		t.Errorf("next beat at %v", c.beat)
	}
	equal(t, "out", c.failures.out(1, d.Server), true)
	c.Change(1, []int32{d.Server}, []int32{d.Server}, v)
	equal(t, "out", c.failures.out(1, d.Server), false)
}

// Failures of servers that have left are not kept for ever.
func TestFailuresOfTheGone(t *testing.T) {
	c := newCore(t, Config{}, 3)
	left := int32(0)
	for i := range int32(1000) {
		c.Fail(0, Dial{5000 + i, Cycle, 0}, pool(1)) // it left while it was dialed
		c.Change(0, []int32{100 + i}, []int32{left}, pool(1))
		left = 100 + i
	}
	if len(c.failures) > 5 {
		t.Errorf("%d failures of 3 servers", len(c.failures))
	}
}

// Servers that failed are passed over.
func TestPassedOver(t *testing.T) {
	c := newCore(t, Config{}, 1000)
	for i := range int32(1000) {
		if i%5 > 0 {
			c.Fail(0, Dial{i, Cycle, 0}, pool(1))
		}
	}
	for range 1000 {
		if to, some := c.pick(0.5); some && to%5 > 0 {
			t.Fatalf("%d failed", to)
		}
	}
}

// Where nobody answers, a client makes one dial an interval, and one to each
// server whose time is over, not as many as tokens allow. Once somebody does, it
// is full at once, and not all of one server.
func TestOutage(t *testing.T) {
	c := newCore(t, Config{}, 20)
	v := View{Max: 10}
	dials, up := 0, false
	run := func(until Time) {
		for now := c.Next(); now < until; now = c.Next() {
			all := append([]Dial(nil), c.Wake(now, v)...)
			for ; len(all) > 0; all = all[1:] {
				d := all[0]
				dials++
				if !up {
					all = append(all, c.Fail(now, d, v)...)
					continue
				}
				id := fmt.Sprint(d.Server)
				slot := v.count(id, 0)
				verdict := c.Choose(now, v, Offer{id, slot, d})
				if verdict.Choice == Keep {
					v.add(Held{id, slot})
				}
				all = append(all, c.Answer(now, d, slot, verdict, v)...)
			}
		}
	}
	run(60)
	dials = 0
	run(160)
	if dials < 100 || dials > 230 {
		t.Errorf("%d dials in 100 intervals, want about two each", dials)
	}
	up = true
	run(161.5)
	servers := map[string]bool{}
	for _, h := range v.Kept {
		servers[h.ID] = true
	}
	if len(v.Kept) != 10 || len(servers) < 9 {
		t.Errorf("%d connections to %d servers, 1.5 intervals after they are back", len(v.Kept), len(servers))
	}
}

// A comeback takes the place of a dial of the cycle where those are rare, and
// is awaited before another.
func TestComebackAtRest(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 9)
	c.Lost(0, 7)
	c.fillAt, c.stretch, c.beat = never, 8, 1
	dials := c.Wake(1, pool(1, 2))
	equal(t, "dials", len(dials), 1)
	equal(t, "reason", dials[0].Reason, Comeback)
	equal(t, "awaited until", c.debts.of(7).due, 9)
	if c.Next() > 9 {
		t.Errorf("wakes at %v, want 9 or earlier", c.Next())
	}
	c.beat = 50
	c.Fail(2, dials[0], pool(1, 2))
	equal(t, "wakes for the next try", c.Next(), c.debts.of(7).due)
}

// A connection that broke is made up for soon, not at once: it was not the
// only one. Its server is owed it, and gets it when it is back.
func TestLossAndComeback(t *testing.T) {
	c := newCore(t, Config{}, 10)
	settle(c, 9)
	c.beat, c.stretch = 30, 16
	full := pool(1, 2, 3)
	v := View{Max: 3, Kept: full.Kept[:1]}
	c.Lost(10, 7)
	c.Lost(10, 7)
	equal(t, "stretch", c.stretch, 1)
	at := c.Next()
	if at < 10 || at >= 10.16 {
		t.Errorf("fills at %v", at)
	}
	fills := c.Wake(at, v)
	equal(t, "fills", len(fills), 2)
	for _, d := range fills {
		c.Answer(at, d, 3, Verdict{Choice: Keep}, full)
	}
	if c.beat < 10.5 || c.beat >= 11 {
		t.Errorf("next beat at %v", c.beat)
	}
	owed := c.debts.of(7)
	if owed.due < 10.5 || owed.due >= 11 {
		t.Errorf("tried at %v", owed.due)
	}
	c.flights = nil

	// It is still down, then up: both are made at once, and a third is not.
	now := owed.due
	c.beat = now
	dials := c.Wake(now, full)
	equal(t, "dials", len(dials), 2)
	equal(t, "reason", dials[0], Dial{7, Comeback, dials[0].Number})
	equal(t, "and the cycle goes on", dials[1].Reason, Cycle)
	c.Fail(now, dials[0], full)
	equal(t, "in flight", len(c.flights), 1)
	now = c.debts.of(7).due
	if c.Next() > now {
		t.Errorf("wakes at %v for a debt of %v", c.Next(), now)
	}
	c.failures = nil
	dials = c.Wake(now, full)
	equal(t, "reason", dials[0].Reason, Comeback)
	dials = c.Answer(now, dials[0], 0, Verdict{Replace, 2}, full)
	equal(t, "owed", dials[0], Dial{7, Comeback, dials[0].Number})
	dials = c.Answer(now, dials[0], 1, Verdict{Replace, 2}, full)
	equal(t, "paid", len(dials), 0)
	equal(t, "debts", len(c.debts), 0)
}

// Of many connections that break one after the other none puts the fill off.
func TestLossesPutNothingOff(t *testing.T) {
	c := newCore(t, Config{}, 10)
	c.beat = 30
	c.Lost(10, 7)
	at := c.Next()
	c.Lost(at-0.0001, 7)
	equal(t, "fills at", c.Next(), at)
}

// A server that is back and as full as others is owed nothing.
func TestForgiven(t *testing.T) {
	c := newCore(t, Config{}, 10)
	settle(c, 9)
	c.Lost(0, 7)
	c.Lost(0, 7)
	dials := c.Answer(1, Dial{7, Comeback, 1}, 12, Verdict{}, pool(1, 20))
	equal(t, "debts", len(c.debts), 0)
	equal(t, "dials, though another must move: that is for the beat", len(dials), 0)
}

// Nobody is owed to a server that left the set.
func TestLossOfNoServer(t *testing.T) {
	c := newCore(t, Config{}, 10)
	c.Lost(0, -1)
	equal(t, "debts", len(c.debts), 0)
	c.Lost(0, 3)
	c.Change(0.1, nil, []int32{3}, View{Max: 1})
	equal(t, "debts", len(c.debts), 0)
}
