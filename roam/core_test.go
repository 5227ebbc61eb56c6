package roam

import (
	"fmt"
	"math"
	"testing"
)

func TestConfig(t *testing.T) {
	for want, config := range map[string]Config{
		"roam: idle must be at least 1 interval, got 0.5":    {Idle: 0.5},
		"roam: idle must be at least 1 interval, got NaN":    {Idle: Time(math.NaN())},
		"roam: idle must be at least 1 interval, got +Inf":   {Idle: never},
		"roam: burst must be at least 1, got -1":             {Burst: -1},
		"roam: spread must be 0 intervals or more, got -1":   {Spread: -1},
		"roam: spread must be 0 intervals or more, got +Inf": {Spread: never},
	} {
		_, err := NewCore(config, seeded(), 0, nil)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := NewCore(Config{}, nil, 0, nil); err == nil || err.Error() != "roam: random must not be nil" {
		t.Error(err)
	}
	c := newCore(t, Config{}, 3)
	equal(t, "defaults", c.config, Config{Idle: 16, Burst: 8})
}

// The first wake is at once, or within the spread.
func TestStart(t *testing.T) {
	equal(t, "first wake", newCore(t, Config{}, 3).Next(), 0)
	for seed := range 20 {
		random := seeded()
		for range seed {
			random.Uint64()
		}
		c, err := NewCore(Config{Spread: 2}, random, 10, nil)
		if at := c.Next(); err != nil || at < 10 || at >= 12 {
			t.Errorf("first wake at %v, %v", at, err)
		}
	}
}

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

// A fill without an answer is made up for after half an interval.
func TestLateFill(t *testing.T) {
	c := newCore(t, Config{}, 50)
	v := View{Max: 3}
	equal(t, "dials", len(c.Wake(0, v)), 3)
	equal(t, "next", c.Next(), 0.5)
	equal(t, "too early", len(c.Wake(0.4, v)), 0)
	equal(t, "late", len(c.Wake(0.5, v)), 3)
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

// rove answers dials of the cycle with a slot at which nothing is to be had,
// and returns the intervals from one beat to the next.
func rove(t *testing.T, c *Core, v View, slot, beats int) (apart []Time, dials int) {
	t.Helper()
	last := c.Next()
	for range beats {
		now := c.Next()
		apart = append(apart, now-last)
		last = now
		for all := c.Wake(now, v); len(all) > 0; {
			equal(t, "dials at once", len(all), 1)
			d := all[0]
			dials++
			verdict := c.Choose(now, v, Offer{fmt.Sprint(d.Server), slot, d})
			equal(t, "kept", verdict.Kept(), false)
			all = c.Answer(now, d, slot, verdict, v)
		}
	}
	return apart[1:], dials
}

// Who has no reason to move looks again twice as late each time, up to 16
// intervals, once the offers are of now.
func TestRestRelaxes(t *testing.T) {
	c := newCore(t, Config{}, 10)
	settle(c, 9)
	apart, dials := rove(t, c, pool(1, 2, 3), 9, 22)
	equal(t, "dials", dials, 22)
	for i, at := range apart {
		least, most := Time(0.9), Time(1.1) // 15 offers, then the interval doubles
		if i >= 14 {
			least = min(16, Time(int(2)<<(i-14)))
			most = 1.4 * least
		}
		if at < least || at > most {
			t.Errorf("beat %d: %v after the last, want %v to %v", i, at, least, most)
		}
	}
}

// Who may move, but need not, looks each interval for a cycle.
func TestMovable(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 9)
	apart, _ := rove(t, c, pool(1, 2, 8), 9, 44)
	for i, at := range apart {
		if (at < 1.1+1e-9) != (i < 39) {
			t.Errorf("beat %d: %v after the last", i, at)
		}
	}
}

// Who must move makes eight dials an interval, for two cycles, and goes on
// less and less.
func TestUrgent(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 9)
	v := pool(1, 2, 20)
	_, dials := rove(t, c, v, 20, 10)
	equal(t, "dials in ten intervals, for two cycles", dials, 80)
	settle(c, 9) // else it would believe that 20 is normal
	apart, dials := rove(t, c, v, 20, 5)
	equal(t, "dials after that", dials, 5)
	for i, at := range apart {
		if at < 2 || at > 2.8 {
			t.Errorf("beat %d: %v after the last, want 2 to 2.8", i, at)
		}
	}
}

// An offer far below what is normal says that something happened.
func TestSurprise(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 9)
	c.stretch, c.idle = 16, 100
	v := pool(0, 0, 0)
	d := c.Wake(c.Next(), v)[0]
	next := c.Answer(1, d, 5, Verdict{}, v)
	equal(t, "dials", len(next), 1)
	equal(t, "stretch", c.stretch, 1)
	equal(t, "idle", c.idle, 0)
	c.stretch = 16
	equal(t, "dials", len(c.Answer(1, next[0], 6, Verdict{}, v)), 0) // 7 of 8.7 is none
}

// One that moved moves on while it may.
func TestMovesOn(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 9)
	v := pool(1, 2, 9)
	d := c.Wake(c.Next(), v)[0]
	d = c.Answer(0.1, d, 8, Verdict{Replace, 2}, pool(1, 2, 8))[0]
	equal(t, "reason", d.Reason, Cycle)
	equal(t, "shut", len(c.Answer(0.1, d, 6, Verdict{Replace, 2}, pool(1, 2, 6))), 0)
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

// A server that is back and as full as others is owed nothing.
func TestForgiven(t *testing.T) {
	c := newCore(t, Config{}, 10)
	settle(c, 9)
	c.Lost(0, 7)
	c.Lost(0, 7)
	c.Answer(1, Dial{7, Comeback, 1}, 12, Verdict{}, pool(1, 2))
	equal(t, "debts", len(c.debts), 0)
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

// A set change makes everyone look, apart, and scales what is normal.
func TestChange(t *testing.T) {
	c := newCore(t, Config{}, 10)
	settle(c, 9)
	c.beat, c.stretch, c.idle = 30, 16, 99
	v := pool(1, 2, 8, 9)
	c.Change(10, []int32{10, 11, 12, 13, 14}, nil, v)
	equal(t, "estimate", c.estimate.mean(), 6)
	equal(t, "stretch", c.stretch, 1)
	if c.beat < 10 || c.beat >= 10.8 {
		t.Errorf("next beat at %v", c.beat)
	}
	c.beat = 30
	dials := c.Wake(c.Next(), v)
	news := 0
	for _, d := range dials {
		if d.Reason == News {
			news++
			if d.Server < 10 {
				t.Errorf("%d is not new", d.Server)
			}
		}
	}
	equal(t, "two are 3 and 4 above the share", news, 2)
}

// The first servers of an empty set are met as at the start.
func TestFirstServers(t *testing.T) {
	c := newCore(t, Config{}, 0)
	v := View{Max: 2}
	equal(t, "dials", len(c.Wake(0, v)), 0)
	c.Change(5, []int32{1, 2, 3}, nil, v)
	equal(t, "next", c.Next(), 5)
	equal(t, "dials", len(c.Wake(5, v)), 2)
}

// In a rolling deployment the successor gets what its predecessor had.
func TestSuccessor(t *testing.T) {
	c := newCore(t, Config{}, 100)
	settle(c, 9)
	v := View{Max: 10, Kept: pool(1, 2, 3, 4).Kept}
	c.Change(10, []int32{100}, []int32{5}, v)
	for _, d := range c.Need(10, v) {
		equal(t, "server", d.Server, 100)
	}
	c.flights = nil
	others := 0
	for _, d := range c.Need(12, v) {
		if d.Server != 100 {
			others++
		}
	}
	equal(t, "others, later", others > 3, true)
}

// Who drains is not dialed for a while, and its mark is no load.
func TestDrain(t *testing.T) {
	c := newCore(t, Config{}, 2)
	settle(c, 9)
	c.Answer(5, Dial{1, Cycle, 1}, Drain, Verdict{}, pool(1))
	equal(t, "estimate", c.estimate.mean(), 9)
	for range 20 {
		to, _ := c.pick(20.9)
		equal(t, "server", to, 0)
	}
	c.Answer(21, Dial{1, Cycle, 2}, 9, Verdict{}, pool(1))
	equal(t, "failures", len(c.failures), 0)
}

// Servers that failed are passed over, but not without end: where all fail,
// one is dialed.
func TestPassedOver(t *testing.T) {
	c := newCore(t, Config{}, 1000)
	v := pool(1)
	for i := range int32(1000) {
		if i != 7 {
			c.Fail(0, Dial{i, Cycle, 0}, v)
		}
	}
	met := 0
	for range 1000 {
		if to, some := c.pick(0.5); some && to == 7 {
			met++
		}
	}
	if met == 0 {
		t.Error("the one that is well was never met")
	}
	to, some := c.pick(0.5)
	equal(t, fmt.Sprint("somebody, ", to), some, true)
}

// A dial costs no allocation.
func TestAllocations(t *testing.T) {
	c := newCore(t, Config{}, 100)
	v := pool(1, 2, 20)
	now := Time(0)
	step := func() {
		now = max(now, c.Next())
		for all := c.Wake(now, v); len(all) > 0; {
			d := all[0]
			verdict := c.Choose(now, v, Offer{"x", 25, d})
			all = c.Answer(now, d, 25, verdict, v)
		}
	}
	step()
	if n := testing.AllocsPerRun(200, step); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
