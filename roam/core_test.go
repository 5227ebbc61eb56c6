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

// In lockstep beats are one interval apart, but not at rest.
func TestLockstep(t *testing.T) {
	c := newCore(t, Config{Lockstep: true}, 10)
	settle(c, 9)
	apart, _ := rove(t, c, pool(1, 2, 3), 9, 18)
	for i, at := range apart {
		if (at == 1) != (i < 14) {
			t.Errorf("beat %d: %v after the last", i, at)
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
	c.beat = 0.3
	second := c.Wake(0.3, v)[0]
	equal(t, "dials", len(c.Answer(0.4, first, 20, Verdict{}, v)), 0)
	c.idle = 100
	c.Answer(0.4, Dial{3, Cycle, 98}, 20, Verdict{}, v)
	equal(t, "stretch", c.stretch, 1)
	c.Answer(0.4, second, 20, Verdict{}, v)
	equal(t, "stretch", c.stretch, 2)
	c.stretch = 4
	c.Answer(0.5, Dial{3, News, 99}, 20, Verdict{}, v)
	equal(t, "stretch", c.stretch, 4)
}

// Who must move does not wait for a server that says nothing: after half an
// interval to three quarters it dials another, as if it had been refused.
func TestLateDial(t *testing.T) {
	for worst, want := range map[int]int{20: 2, 7: 1} {
		c := newCore(t, Config{}, 40)
		settle(c, 9)
		v := pool(1, 2, worst)
		dials := len(c.Wake(0, v))
		at := c.Next()
		if at < 0.5 || at > 0.75 {
			t.Errorf("late at %v", at)
		}
		dials += len(c.Wake(at, v))
		equal(t, "dials", dials, want)
		equal(t, "tries", c.tries, want)
		c.flights, c.tries = flights{{7, false, 0.8}}, 8
		equal(t, "dials after eight", len(c.Wake(0.8, v)), 0)
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
