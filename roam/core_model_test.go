package roam

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A model is a client's world gone mad: any event at any time. It knows from
// the outside what a Core must never do.
type model struct {
	*testing.T
	random  *rand.Rand
	core    *Core
	now     Time
	view    View
	listed  map[int32]bool
	news    map[int32]bool // of the last change that added
	owed    map[int32]int
	flying  []modelFlight
	dialed  []Time // of all dials, ascending
	reviews int    // news dials that are still allowed
}

type modelFlight struct {
	Dial
	at Time
}

func TestAnyEventAtAnyTime(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := &model{T: t, random: rand.New(rand.NewPCG(seed, 1)), listed: map[int32]bool{}, news: map[int32]bool{}, owed: map[int32]int{}}
			m.view.Max = 1 + m.random.IntN(20)
			var servers []int32
			for i := range int32(m.random.IntN(40)) {
				m.listed[i] = true
				servers = append(servers, i)
			}
			var err error
			m.core, err = NewCore(Config{Idle: 1 + Time(m.random.IntN(20)), Burst: 1 + m.random.IntN(10)}, m.random, 0, servers)
			if err != nil {
				t.Fatal(err)
			}
			for range 2000 {
				m.step()
			}
			if len(servers) > 0 && len(m.dialed) < 100 {
				t.Errorf("only %d dials: the model does not try much", len(m.dialed))
			}
		})
	}
}

func (m *model) step() {
	switch p := m.random.IntN(100); {
	case p < 30:
		m.wake()
	case p < 65 && len(m.flying) > 0:
		m.answer(m.land())
	case p < 70 && len(m.flying) > 0:
		m.check(m.core.Fail(m.now, m.land(), m.view))
	case p < 71 && len(m.flying) > 0:
		m.core.Dropped(m.land())
	case p < 72 && len(m.flying) > 0:
		m.land() // and nobody hears of it
	case p < 76 && len(m.view.Kept) > 0:
		m.lose()
	case p < 78 && len(m.view.Kept) > 0:
		m.view.remove(m.any())
		m.check(m.core.Closed(m.now, m.view))
	case p < 80:
		m.change()
	case p < 82:
		m.view.Waiting = m.random.IntN(3)
		m.check(m.core.Need(m.now, m.view))
	default:
		m.now += Time(m.random.ExpFloat64() / 10)
	}
}

func (m *model) wake() {
	next := m.core.Next()
	if next == never {
		m.Fatal("nothing is to come")
	}
	m.now = max(m.now, next)
	m.check(m.core.Wake(m.now, m.view))
	if next := m.core.Next(); next <= m.now {
		m.Fatalf("after Wake at %v the next is at %v", m.now, next)
	}
}

// land takes any dial out of the air.
func (m *model) land() Dial {
	at := m.random.IntN(len(m.flying))
	d := m.flying[at].Dial
	m.flying = slices.Delete(m.flying, at, at+1)
	return d
}

func (m *model) any() Held { return m.view.Kept[m.random.IntN(len(m.view.Kept))] }

func (m *model) answer(d Dial) {
	slot := m.random.IntN(12)
	if m.random.IntN(40) == 0 {
		slot = Drain
	}
	o := Offer{fmt.Sprint(d.Server), slot, d}
	print := func() string { return "" }
	if m.random.IntN(20) == 0 { // for it takes long
		print = func() string { return fmt.Sprintf("%+v", *m.core) }
	}
	before := print()
	verdict := m.core.Choose(m.now, m.view, o)
	if after := print(); after != before {
		m.Fatalf("Choose changed\n%s to\n%s", before, after)
	}
	m.judge(o, verdict)
	switch h := (Held{o.ID, slot}); verdict.Choice {
	case Keep:
		m.view.add(h)
	case Replace:
		m.view.remove(m.view.Kept[verdict.Victim])
		m.view.add(h)
	}
	if d.Reason == Comeback {
		if m.owed[d.Server]--; !verdict.Kept() || m.owed[d.Server] <= 0 {
			delete(m.owed, d.Server)
		}
	}
	m.check(m.core.Answer(m.now, d, slot, verdict, m.view))
	if m.core.stretch > m.core.config.Idle || m.core.stretch < 1 {
		m.Fatalf("stretch is %v, want 1 to %v", m.core.stretch, m.core.config.Idle)
	}
}

// judge knows who may be kept, whoever else could be refused.
func (m *model) judge(o Offer, v Verdict) {
	same, short := 0, len(m.view.Kept) < m.view.Max
	for _, h := range m.view.Kept {
		if h == (Held{o.ID, o.Slot}) {
			same++
		}
	}
	fail := func(why string) { m.Errorf("%v for %+v in %+v: %s", v, o, m.view, why) }
	switch v.Choice {
	case Refuse:
		if short && same < 2 && m.view.Waiting > 0 && o.Slot < Drain {
			fail("somebody waits")
		}
		if short && same < 2 && len(m.view.Kept) == 0 {
			fail("there is nothing else")
		}
	case Keep:
		if !short {
			fail("the pool is full")
		}
		if o.Slot >= Drain && len(m.view.Kept) > 0 {
			fail("it wants to be left")
		}
	case Replace:
		if short {
			fail("there is room")
			return
		}
		worst := m.view.Kept[v.Victim]
		for _, h := range m.view.Kept {
			if h.Slot > worst.Slot {
				fail("there is a worse one")
			}
		}
		if o.Slot >= worst.Slot {
			fail("it is no better")
		}
		// The offer may be a sample that is not yet counted.
		least := min(m.core.estimate.mean(), m.core.estimate.with(o.Slot))
		if float64(worst.Slot)+1-least <= -1.5 && o.Dial.Reason != Comeback {
			fail("the gate is shut")
		}
	}
	if v.Kept() && same >= 2 {
		fail("it lies")
	}
}

func (m *model) lose() {
	h := m.any()
	m.view.remove(h)
	var server int32
	fmt.Sscan(h.ID, &server)
	if !m.listed[server] {
		server = -1
	} else {
		m.owed[server]++
	}
	m.core.Lost(m.now, server)
}

func (m *model) change() {
	var added, dropped []int32
	for range m.random.IntN(4) {
		if s := int32(m.random.IntN(60)); m.listed[s] {
			dropped = append(dropped, s)
			delete(m.listed, s)
			delete(m.owed, s)
			delete(m.news, s)
		}
	}
	first := true
	for range m.random.IntN(4) {
		if s := int32(m.random.IntN(60)); !m.listed[s] {
			if first {
				clear(m.news)
				first = false
			}
			added = append(added, s)
			m.listed[s], m.news[s] = true, true
		}
	}
	if len(added) > 0 {
		m.reviews = 7 * m.view.Max // one may have been due before
	}
	m.core.Change(m.now, added, dropped, m.view)
}

// check knows who may be dialed, and how much.
func (m *model) check(dials []Dial) {
	size := float64(m.view.Max + m.core.config.Burst)
	for _, d := range dials {
		if !m.listed[d.Server] {
			m.Fatalf("dials %d, which left", d.Server)
		}
		fresh, fills := 0, 0
		for _, f := range m.flying {
			if f.Reason == Fill && m.now < f.at+0.5 {
				fills++
			}
			if m.now < f.at+0.5 {
				fresh++
			}
		}
		switch d.Reason {
		case Fill:
			if len(m.view.Kept)+fills >= m.view.Max {
				m.Fatalf("fills %d of %d with %d in flight", len(m.view.Kept), m.view.Max, fills)
			}
			if fresh >= 16 {
				m.Fatalf("fills with %d in flight", fresh)
			}
		case News:
			m.reviews--
			if !m.news[d.Server] || m.reviews < 0 {
				m.Fatalf("%d is news", d.Server)
			}
		case Comeback:
			if m.owed[d.Server] == 0 {
				m.Fatalf("%d is owed nothing", d.Server)
			}
		}
		m.flying = append(m.flying, modelFlight{d, m.now})
		m.dialed = append(m.dialed, m.now)
		for i := len(m.dialed) - 1; i >= max(0, len(m.dialed)-300); i-- {
			n := float64(len(m.dialed) - i)
			if most := size * (1 + float64(m.now-m.dialed[i])); n > most+1e-6 {
				m.Fatalf("%v dials in %v intervals, want at most %v", n, m.now-m.dialed[i], most)
			}
		}
	}
}

// A client that is settled, among servers that are equal, dials hardly ever.
func TestRest(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		servers := []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		c, err := NewCore(Config{}, random, 0, servers)
		if err != nil {
			t.Fatal(err)
		}
		const load = 7 // slots 0 to 6 are taken, by others too
		v := View{Max: 4}
		dials, now := 0, Time(0)
		land := func(all []Dial) {
			for len(all) > 0 {
				d := all[0]
				all = slices.Clone(all[1:])
				slot := load
				if v.Short() > 0 { // what we give up is not ours to meet again
					slot = load - 1 - len(v.Kept)
				}
				dials++
				now += 0.01
				verdict := c.Choose(now, v, Offer{fmt.Sprint(d.Server), slot, d})
				if verdict.Choice == Keep {
					v.add(Held{fmt.Sprint(d.Server), slot})
				} else if verdict.Choice == Replace {
					t.Fatalf("seed %d: moves at rest", seed)
				}
				all = append(all, c.Answer(now, d, slot, verdict, v)...)
			}
		}
		run := func(until Time) {
			for c.Next() < until {
				now = max(now, c.Next())
				land(c.Wake(now, v))
			}
			now = until
		}
		run(200)
		if s := c.State(v); !s.Settled || s.Stretch != 16 || math.Abs(s.Estimate-load) > 1e-9 {
			t.Errorf("seed %d: %+v after 200 intervals", seed, s)
		}
		dials = 0
		run(1200)
		if rate := float64(dials) / 1000; rate > 0.0625 || rate < 0.04 {
			t.Errorf("seed %d: %v dials an interval at rest, want 0.04 to 0.0625", seed, rate)
		}
	}
}
