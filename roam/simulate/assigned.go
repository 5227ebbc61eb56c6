package simulate

import (
	"cmp"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/callosum-go/rover/roam"
)

// An assigned client knows its servers beforehand, by a rule: it dials each of
// them once, keeps what it gets, and dials again, later each time, what broke.
type assigned struct {
	rule    func(w *world, c *client) []int32
	targets []target
	start   float64
}

type target struct {
	server int32
	due    float64 // the next dial; never while it is held or dialed
	wait   float64
}

func assign(rule func(w *world, c *client) []int32) func(*world, *client, float64) agent {
	return func(_ *world, _ *client, start float64) agent { return &assigned{rule: rule, start: start} }
}

func (a *assigned) next() float64 {
	at := a.start
	for _, t := range a.targets {
		at = min(at, t.due)
	}
	return at
}

func (a *assigned) wake(w *world, c *client) {
	if a.start <= w.now {
		a.start = math.Inf(1)
		a.retarget(w, c)
	}
	for i := range a.targets {
		if t := &a.targets[i]; t.due <= w.now {
			t.due = math.Inf(1)
			w.dial(c, roam.Dial{Server: t.server})
		}
	}
}

// retarget leaves servers that are its own no longer, and dials those that are
// now.
func (a *assigned) retarget(w *world, c *client) {
	before := a.targets
	a.targets = nil
	for _, id := range a.rule(w, c) {
		at := slices.IndexFunc(before, func(t target) bool { return t.server == id })
		if at >= 0 {
			a.targets = append(a.targets, before[at])
		} else {
			a.targets = append(a.targets, target{id, w.now, 1})
		}
	}
	c.view.Max = len(a.targets)
	for at := len(c.conns) - 1; at >= 0; at-- {
		if a.target(c.conns[at].server) == nil {
			w.giveUp(c, at)
		}
	}
}

func (a *assigned) target(server int32) *target {
	at := slices.IndexFunc(a.targets, func(t target) bool { return t.server == server })
	if at < 0 {
		return nil
	}
	return &a.targets[at]
}

func (a *assigned) offered(w *world, c *client, o offer) {
	if t := a.target(o.server); t != nil {
		t.wait = 1
		w.keep(c, o, -1)
	} else {
		w.refuse(c, o.conn)
	}
}

func (a *assigned) failed(w *world, c *client, d roam.Dial) {
	if t := a.target(d.Server); t != nil {
		t.due = w.now + t.wait*(0.5+0.5*w.random.Float64())
		t.wait = min(2*t.wait, 16)
	}
}

func (a *assigned) lost(w *world, c *client, server int32) { a.failed(w, c, roam.Dial{Server: server}) }

func (a *assigned) changed(w *world, c *client, _, _ []int32) {
	if math.IsInf(a.start, 1) {
		a.retarget(w, c)
	}
}

// newRoundRobin connects each client with all servers.
var newRoundRobin = assign(func(w *world, _ *client) []int32 { return w.listed })

// newSubset connects each client with Max servers at random: the first by a
// hash of client and server, so that a change of the set moves few.
var newSubset = assign(func(w *world, c *client) []int32 {
	type ranked struct {
		hash   uint64
		server int32
	}
	all := make([]ranked, len(w.listed))
	for i, id := range w.listed {
		all[i] = ranked{mix(uint64(c.number)<<32 | uint64(id) + w.seed), id}
	}
	slices.SortFunc(all, func(a, b ranked) int { return cmp.Compare(a.hash, b.hash) })
	var mine []int32
	for _, r := range all[:min(w.Fleet.Max, len(all))] {
		mine = append(mine, r.server)
	}
	return mine
})

// mix spreads the bits of x (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// newAperture puts N clients and S servers on a ring. Client i covers it from
// i/N on, as many Nths as make at least Max of the S parts: all Nths are
// covered by equally many clients. A client is connected with each server whose
// part it touches; how much of a part it covers would be that server's share
// of its requests, which connections do not show.
var newAperture = assign(func(w *world, c *client) []int32 {
	n, s := 0, len(w.listed)
	for _, other := range w.clients {
		if !other.gone {
			n++
		}
	}
	width := (min(w.Fleet.Max, s)*n + s - 1) / s // in Nths
	first := c.rank * s / n
	last := ((c.rank+width)*s - 1) / n
	var ring, mine []int32
	for _, id := range w.tasks {
		if id >= 0 {
			ring = append(ring, id)
		}
	}
	for at := first; at <= last && len(mine) < s; at++ {
		mine = append(mine, ring[at%s])
	}
	return mine
})

// lot is how many clients, and servers, are in one lot of Rocksteadier.
const lot = 10

// newRocksteadier puts clients and servers into lots of ten. Each lot of
// clients shuffles each lot of servers in its own way and gives one to each of
// its clients; which lots come first is the order of a ring, on which lots are
// as a van der Corput sequence has them.
var newRocksteadier = assign(func(w *world, c *client) []int32 {
	lots := (len(w.tasks) + lot - 1) / lot
	ring := make([]int, lots)
	for i := range ring {
		ring[i] = i
	}
	slices.SortFunc(ring, func(a, b int) int { return cmp.Compare(corput(a), corput(b)) })
	group, row := int(c.number)/lot, int(c.number)%lot
	begin, _ := slices.BinarySearchFunc(ring, corput(group), func(l int, at uint64) int { return cmp.Compare(corput(l), at) })
	var mine []int32
	// Where there are fewer lots than Max, a client goes on to the next row.
	for round := 0; round < lot && len(mine) < w.Fleet.Max; round++ {
		for i := range ring {
			l := ring[(begin+i)%lots]
			order := rand.New(rand.NewPCG(uint64(group), uint64(l))).Perm(lot)
			at := l*lot + order[(row+round)%lot]
			if at < len(w.tasks) && w.tasks[at] >= 0 && len(mine) < w.Fleet.Max {
				mine = append(mine, w.tasks[at])
			}
		}
	}
	return mine
})

// corput is the binary van der Corput sequence, as a place on a ring of 2^64.
func corput(i int) uint64 { return bits.Reverse64(uint64(i)) }
