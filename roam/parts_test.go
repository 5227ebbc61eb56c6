package roam

import (
	"math"
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	equal(t, "in", In(250*time.Millisecond, 100*time.Millisecond), 2.5)
	equal(t, "duration", Time(2.5).Duration(100*time.Millisecond), 250*time.Millisecond)
}

// The mean is that of the last 15 offers.
func TestEstimate(t *testing.T) {
	var e estimate
	equal(t, "of none", e.mean(), 0)
	for slot := range 40 {
		with := e.with(slot)
		e.add(slot)
		sum, n := 0, min(slot+1, 15)
		for i := range n {
			sum += slot - i
		}
		want := float64(sum) / float64(n)
		if math.Abs(e.mean()-want) > 1e-9 || math.Abs(with-want) > 1e-9 {
			t.Errorf("after slot %d: mean %v, foreseen as %v, want %v", slot, e.mean(), with, want)
		}
	}
	e.scale(0.5)
	equal(t, "scaled", e.mean(), 16)
}

// The bucket is full at first, fills with its size an interval, and holds no
// more than that.
func TestTokens(t *testing.T) {
	var b tokens
	count := func(now Time) (n int) {
		for b.take(now, 12) {
			n++
		}
		return n
	}
	equal(t, "at first", count(100), 12)
	equal(t, "a little later", count(100.05), 0)
	equal(t, "half an interval later", count(100.5), 6)
	equal(t, "long after", count(200), 12)
	equal(t, "as time went back", count(199), 0)
}

// A dial counts for half an interval, and up to half of that more.
func TestFlights(t *testing.T) {
	var f flights
	f.add(0.5, Dial{1, Cycle, 1}, 0)
	f.add(0, Dial{2, Fill, 2}, 1)
	f.add(0.125, Dial{3, Fill, 3}, 0)
	equal(t, "fills", f.fills(), 2)
	equal(t, "late", f.late(), 0.625)
	f.expire(0.625)
	equal(t, "fills", f.fills(), 1)
	equal(t, "late", f.late(), 0.75)
	f.end(2)
	equal(t, "late", f.late(), 1)
	equal(t, "open", f.open(1), true)
	f.expire(1)
	equal(t, "in flight", len(f), 0)
	equal(t, "late", f.late(), never)
	f.end(7) // nobody's
}

// A server is passed over for 1, 2, 4 … at most 16 intervals, and up to half
// of that more.
func TestFailures(t *testing.T) {
	var f failures
	for i, wait := range []Time{1, 2, 4, 8, 16, 16} {
		now := Time(100 * i)
		f.add(now, 7, float64(i%2))
		until := now + wait*Time(1+0.5*float64(i%2))
		equal(t, "out", f.out(until-0.01, 7), true)
		equal(t, "back", f.out(until, 7), false)
	}
	equal(t, "another", f.admits(501, 8), true)
	equal(t, "still out", f.admits(510, 7), false)
	equal(t, "one dial", f.admits(600, 7), true)
	equal(t, "no second", f.admits(600.9, 7), false)
	equal(t, "without an answer", f.admits(601, 7), true)
	f.drains(1000, 9)
	equal(t, "drains", f.out(1015.9, 9), true)
	equal(t, "was drained", f.out(1016, 9), false)
}

// A server that broke is tried within one interval, then at most 3 apart, or a
// twentieth of its downtime.
func TestDebts(t *testing.T) {
	var d debts
	d.add(10, 5, 0)
	d.add(10, 5, 0)
	d.add(10, 6, 1)
	equal(t, "next", d.next(10), 10.5)
	equal(t, "after that", d.next(10.5), 11)
	equal(t, "ready", d.ready(10.4), nil)
	x := d.ready(10.5)
	equal(t, "server", x.server, 5)
	for i, wait := range []Time{2, 3, 3} {
		now := Time(20 * (i + 1))
		x.failed(now, 1)
		equal(t, "wait", x.due-now, wait)
	}
	x.failed(210, 0)
	equal(t, "half of it", x.due-210, 3)
	x.failed(2010, 1)
	equal(t, "long down", x.due, 2022) // 12 is twice what it was; a twentieth of 2000 is 100
	equal(t, "more owed", x.paid(), true)
	equal(t, "more owed", x.paid(), false)
	d.forgive(5)
	equal(t, "debts", len(d), 1)
	equal(t, "forgiven", d.of(5), nil)
}

// Reviews are at +0, +1, +2, +4, +8 and +16, and up to 0.8 later.
func TestReviews(t *testing.T) {
	var n news
	random := seeded()
	equal(t, "none", n.next(), never)
	n.change(100, []int32{1, 2}, []int32{3, 4, 5, 6}, random)
	equal(t, "successor", n.successor, 0.5)
	equal(t, "fresh", n.fresh, 102)
	equal(t, "hot", n.hot, 103)
	first := n.next()
	for _, after := range []Time{0, 1, 2, 4, 8, 16} {
		if at := n.next() - 100 - after; at < 0 || at >= 0.8 {
			t.Errorf("the review at +%v is %v after that", after, at)
		}
		n.left--
	}
	equal(t, "no more", n.next(), never)

	n.left = reviews // as if none had been
	n.change(first-0.001, []int32{7}, nil, random)
	equal(t, "a review is not put off", n.next() <= first, true)
	equal(t, "successor", n.successor, 0)
	n.change(101, nil, []int32{7, 8}, random)
	equal(t, "nothing new is left", n.next(), never)
	equal(t, "hot", n.hot, 104)
}

func TestReason(t *testing.T) {
	for r, want := range []string{"other", "cycle", "fill", "news", "comeback", "comeback"} {
		equal(t, "name", Reason(r).String(), want)
	}
}
