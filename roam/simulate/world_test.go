package simulate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/callosum-go/rover/roam"
)

// Events come out by time.
func TestQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var q queue
	var want, got []float64
	for range 2000 {
		if random.IntN(3) > 0 {
			at := random.Float64()
			if len(got) > 0 {
				at += got[len(got)-1]
			}
			want = append(want, at)
			q.push(event{at: at})
		} else if len(q) > 0 {
			got = append(got, q.pop().at)
		}
	}
	for len(q) > 0 {
		got = append(got, q.pop().at)
	}
	slices.Sort(want)
	equal(t, "by time", slices.Equal(got, want), true)
}

func TestServer(t *testing.T) {
	s := &server{alive: true, weight: 1}
	for i := range int32(130) {
		equal(t, "slot", s.take(), i)
	}
	s.free(70)
	s.free(3)
	equal(t, "lowest", s.take(), 3)
	equal(t, "next", s.take(), 70)
	equal(t, "next", s.take(), 130)
}

// A line says the load after it, in units of weight 1.
func TestAnnounce(t *testing.T) {
	lines := func(s server, now float64) (all []int) {
		for slot := range int32(6) {
			all = append(all, s.announce(slot, now))
		}
		return all
	}
	for _, c := range []struct {
		name   string
		server server
		now    float64
		want   []int
	}{
		{"weight 1", server{weight: 1}, 0, []int{0, 1, 2, 3, 4, 5}},
		{"weight 2", server{weight: 2}, 0, []int{0, 0, 1, 1, 2, 2}},
		{"weight ½", server{weight: 0.5}, 0, []int{1, 3, 5, 7, 9, 11}},
		{"slow start, at first", server{weight: 1, slow: 10, born: 5}, 5, []int{9, 19, 29, 39, 49, 59}},
		{"slow start, half-way", server{weight: 1, slow: 10, born: 5}, 10, []int{1, 3, 5, 7, 9, 11}},
		{"slow start, over", server{weight: 1, slow: 10, born: 5}, 15, []int{0, 1, 2, 3, 4, 5}},
		{"liar", server{weight: 1, lies: true}, 0, []int{0, 0, 0, 0, 0, 0}},
	} {
		if got := lines(c.server, c.now); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	drains := server{weight: 1, drains: true}
	equal(t, "drains", drains.announce(4, 0), roam.Drain)
}

// Whatever happened, what clients keep is what servers count, each slot is
// taken once, and pools are in order.
func TestConserved(t *testing.T) {
	for _, p := range Policies() {
		for name := range eventKinds {
			event, err := ParseEvent(name)
			if err != nil {
				t.Fatal(err)
			}
			c := Config{Fleet: Fleet{Clients: 40, Servers: 12, Max: 5, Mixed: true}, Event: event, Policy: p,
				Network: Network{RTT: 0.05, Loss: 0.1, Drift: 0.1, SlowServers: 0.2, Late: 1}}
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
			w := newWorld(c, 7)
			w.run(30)
			if happen := event.kind().happen; happen != nil {
				happen(w, event)
			}
			for range 40 {
				w.run(w.now + 0.3)
				conserved(t, w)
			}
			if t.Failed() {
				t.Fatalf("%s, %s, at %v", p.Name, name, w.now)
			}
		}
	}
}

func conserved(t *testing.T, w *world) {
	t.Helper()
	kept := make([]int, len(w.servers))
	taken := map[conn]bool{}
	for _, c := range w.clients {
		equal(t, "connections", len(c.conns), len(c.view.Kept))
		if len(c.conns) > c.view.Max {
			t.Errorf("%d connections, want at most %d", len(c.conns), c.view.Max)
		}
		for i, x := range c.conns {
			s := w.servers[x.server]
			kept[x.server]++
			equal(t, "taken twice", taken[x], false)
			taken[x] = true
			equal(t, "generation", x.generation, s.generation)
			equal(t, "taken at the server", s.taken[x.slot/64]>>(x.slot%64)&1, 1)
			equal(t, "name", c.view.Kept[i].ID, s.name)
			if i > 0 && c.view.Kept[i-1].Slot > c.view.Kept[i].Slot {
				t.Errorf("out of order: %v", c.view.Kept)
			}
		}
	}
	for i, s := range w.servers {
		equal(t, "kept at "+s.name, s.kept, kept[i])
	}
}

// What clients that know their servers beforehand come to, in a fleet where it
// is plain: 40 clients with 3 of 12 servers each are 10 a server; of an
// aperture most cover parts of 4.
func TestAssigned(t *testing.T) {
	for name, want := range map[string][2]int{"aperture": {13, 13}, "rocksteadier": {8, 12}, "roundrobin": {40, 40}, "subset": {3, 19}} {
		p, err := FindPolicy(name)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(Config{Fleet: Fleet{Clients: 40, Servers: 12, Max: 3}, Network: DefaultNetwork, Policy: p}, 1)
		w.run(2)
		l := w.look()
		equal(t, name+" full", l.full, true)
		if int(l.least) < want[0] || int(l.most) > want[1] {
			t.Errorf("%s: %v to %v a server, want %v", name, l.least, l.most, want)
		}
		for _, c := range w.clients {
			met := map[int32]bool{}
			for _, x := range c.conns {
				equal(t, name+" twice", met[x.server], false)
				met[x.server] = true
			}
		}
	}
}

// A server added or gone moves few where a policy says so.
func TestAssignedChurn(t *testing.T) {
	for name, most := range map[string]float64{"subset": 0.13, "rocksteadier": 0.13, "roundrobin": 0} {
		r := result(t, "60x20x5", "add=2", 4, func(c *Config) { c.Policy, _ = FindPolicy(name); c.Horizon = 5 })
		if r.Churn.Worst > most {
			t.Errorf("%s moved %v, want at most %v", name, r.Churn.Worst, most)
		}
	}
}

func TestPercentile(t *testing.T) {
	v := []float64{4, 1, 3, 2, math.Inf(1)}
	equal(t, "median", percentile(v, 0.5), 3)
	equal(t, "p95", percentile(v, 0.95), math.Inf(1))
	equal(t, "the least", percentile(v, 0), 1)
	twenty := make([]float64, 20)
	for i := range twenty {
		twenty[i] = float64(i + 1)
	}
	equal(t, "median of twenty", percentile(twenty, 0.5), 10)
	equal(t, "p95 of twenty", percentile(twenty, 0.95), 19)
	equal(t, "order", v[0], 4)
}
