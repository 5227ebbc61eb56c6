package roam

import "testing"

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
