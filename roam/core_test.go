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

// Soon after a set change who may move looks as hard as who must; who may not
// does not.
func TestHot(t *testing.T) {
	for worst, want := range map[int]int{8: 8, 6: 1} {
		c := newCore(t, Config{}, 40)
		settle(c, 9)
		c.news.hot = 10
		_, dials := rove(t, c, pool(1, 2, worst), 9, 1)
		equal(t, fmt.Sprint("dials, with slot ", worst), dials, want)
	}
}

// Nothing is better than slot 0: who has it has no reason to look.
func TestSlotZero(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 0)
	_, dials := rove(t, c, pool(0, 0), 0, 5)
	equal(t, "dials", dials, 5)
}

// Each beat has tries of its own: those of a burst in which the pool was
// short are over.
func TestTriesAreOfOneBeat(t *testing.T) {
	c := newCore(t, Config{}, 40)
	c.tries = 8
	c.Wake(0, View{Max: 2})
	equal(t, "tries", c.tries, 0)
	c.beat, c.tries = 1, 8
	c.Wake(1, pool(1, 2))
	equal(t, "tries", c.tries, 1)
}

// Only refusals are tries: who moves goes on for as long as that helps.
func TestMovesAreNoTries(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 2)
	for slot := 29; slot > 9; slot-- {
		dials := c.Answer(0.01, Dial{3, News, 99}, slot, Verdict{Replace, 2}, pool(1, 2, slot))
		if len(dials) == 0 && slot > 29-11 { // 11 are the tokens
			t.Fatalf("no dial after slot %d", slot)
		}
		c.flights = nil
	}
}

// While a dial is in flight, neither is another made nor the interval set: its
// answer does that. A directed dial says nothing about the interval.
func TestOneAtATime(t *testing.T) {
	c := newCore(t, Config{}, 40)
	settle(c, 9)
	c.idle = 10
	v := pool(1, 2, 20)
	first := c.Wake(0, v)[0]
	c.beat = 1
	second := c.Wake(1, v)[0]
	equal(t, "dials", len(c.Answer(1.1, first, 20, Verdict{}, v)), 0)
	equal(t, "stretch", c.stretch, 1)
	c.idle = 100
	c.Answer(1.1, second, 20, Verdict{}, v)
	equal(t, "stretch", c.stretch, 2)
	c.stretch = 4
	c.Answer(1.2, Dial{3, News, 99}, 20, Verdict{}, v)
	equal(t, "stretch", c.stretch, 4)
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

// A change is heard by all at once, and each acts at a time of its own.
func TestChangeIsNoHerd(t *testing.T) {
	least, most := never, Time(0)
	random := seeded()
	for range 100 {
		c, err := NewCore(Config{}, random, 0, []int32{1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		c.beat = 30
		c.Change(10, nil, []int32{3}, pool(1))
		least, most = min(least, c.beat), max(most, c.beat)
	}
	if least > 10.1 || most < 10.7 || most > 10.8 {
		t.Errorf("wakes from %v to %v, want 10 to 10.8", least, most)
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
// server whose time is over, not as many as tokens allow. Once somebody does, it is full at once, and not all of one
// server.
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
