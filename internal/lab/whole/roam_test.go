package whole_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// TestRoam has fleets whose real rovers, policies and pools meet servers that
// come, die and restart, over a network of 10 ms and the slots of package
// server, in virtual time. ROAM=200x50x10 runs one shape instead, 20 times or
// ROAM_RUNS.
func TestRoam(t *testing.T) {
	shapes := map[string]int{"20x10x10": 5, "200x10x1": 1, "5x200x20": 5, "200x50x10": 1} // and runs
	if one := os.Getenv("ROAM"); one != "" {
		shapes = map[string]int{one: 20}
		if n, err := strconv.Atoi(os.Getenv("ROAM_RUNS")); err == nil {
			shapes[one] = n
		}
	}
	for shape, runs := range shapes {
		t.Run(shape, func(t *testing.T) {
			var clients, servers, max int
			if n, err := fmt.Sscanf(shape, "%dx%dx%d", &clients, &servers, &max); n != 3 {
				t.Fatal(err)
			}
			all := map[string][]roamed{}
			for range runs {
				synctest.Test(t, func(t *testing.T) { roam1(t, clients, servers, max, all) })
			}
			verdict(t, all)
		})
	}
}

// limits are of the median, and of 19 in 20, in intervals.
var limits = map[string]struct{ median, p95 float64 }{
	"cold": {2.5, 3}, "+20 %": {1.25, 2.5}, "-20 %": {0.75, 1.5}, "restart": {2.75, 3.25},
}

// verdict holds the runs to what the policy promises. Of fewer than 20 nothing
// can be said but that none is far from it.
func verdict(t *testing.T, all map[string][]roamed) {
	for _, event := range []string{"cold", "rest", "+20 %", "-20 %", "restart"} {
		runs := all[event]
		spread := func(of func(roamed) float64) (median, p95, worst float64) {
			var values []float64
			for _, r := range runs {
				values = append(values, of(r))
			}
			slices.Sort(values)
			n := len(values)
			return values[n/2], values[(n*95+99)/100-1], values[n-1]
		}
		settled, late, worst := spread(func(r roamed) float64 { return r.settled })
		moved, _, most := spread(func(r roamed) float64 { return r.moved })
		dials, _, busiest := spread(func(r roamed) float64 { return r.dials })
		_, _, short := spread(func(r roamed) float64 { return float64(r.short) })
		t.Logf("%-7s  settled %.2f / %.2f / %.2f   moved %.3f / %.3f   dials %.4f / %.4f   missing %.0f",
			event, settled, late, worst, moved, most, dials, busiest, short)

		limit, churn, idle := limits[event], 0.27, 0.0625
		if len(runs) < 20 {
			limit.median, limit.p95, churn, idle = limit.p95+3, math.Inf(1), 0.4, 0.08
		}
		switch {
		case short > 0:
			t.Errorf("%s: %v connections are missing in the end", event, short)
		case event == "rest":
			if dials > idle || most > 0 {
				t.Errorf("at rest: %.4f dials a client and interval, want at most %.4f; %.3f moved", dials, idle, most)
			}
		case settled > limit.median || late > limit.p95 || event == "+20 %" && moved > churn:
			t.Errorf("%s: settled after %.2f / %.2f, want %.2f / %.2f; moved %.3f, want at most %.2f",
				event, settled, late, limit.median, limit.p95, moved, churn)
		}
	}
}

// roamed is what one event came to.
type roamed struct {
	settled float64 // intervals until all is full and within a tenth of the mean, or its floor and ceiling, for good
	moved   float64 // connections replaced, of all
	dials   float64 // a client and interval, at rest only
	short   int     // connections missing in the end
}

func roam1(t *testing.T, clients, servers, wanted int, all map[string][]roamed) {
	f := &fleet{lan: newLAN(), max: wanted, servers: map[string]rover.Server{}}
	defer f.end()
	for range servers {
		f.join(t)
	}
	for range clients { // not all at one instant, nor equally far away
		f.open(t)
		time.Sleep(time.Second / time.Duration(clients))
	}
	note := func(event string, r roamed) { all[event] = append(all[event], r) }
	rest := time.Duration(1.3*float64(max(servers, 32))+60) * time.Second
	note("cold", f.watch(30))
	time.Sleep(rest)
	note("rest", f.rest(60))

	fifth := (servers + 4) / 5
	var came []string
	for range fifth {
		came = append(came, f.join(t))
	}
	f.publish(t, came, nil)
	note("+20 %", f.watch(30))
	time.Sleep(rest)

	var gone []string
	for i := range fifth {
		gone = append(gone, fmt.Sprintf("s%d", i))
	}
	f.publish(t, nil, gone)
	for _, id := range gone {
		f.die(id)
	}
	note("-20 %", f.watch(30))
	time.Sleep(rest)

	again := fmt.Sprintf("s%d", fifth)
	at := f.servers[again]
	f.die(again)
	time.Sleep(5300 * time.Millisecond)
	f.servers[again] = at
	f.lan.serve(at.Addr())
	note("restart", f.watch(30))
}

type fleet struct {
	*lan
	max     int
	made    int
	servers map[string]rover.Server
	pools   []*pool.Pool
}

func (f *fleet) join(t *testing.T) (id string) {
	id = fmt.Sprintf("s%d", f.made)
	f.made++
	f.servers[id] = rover.Server{Host: id, Port: 4040}
	f.lan.serve(f.servers[id].Addr())
	return id
}

func (f *fleet) open(t *testing.T) {
	p := kit.Must(pool.Open(context.Background(), pool.WithMax(f.max),
		pool.WithRover(rover.WithServers(f.servers), rover.WithDialer(f.lan.from(5*time.Millisecond+rand.N(10*time.Millisecond))), rover.WithLogger(kit.Quiet()))))(t)
	f.pools = append(f.pools, p)
}

// publish has every client learn of servers that came, or that go.
func (f *fleet) publish(t *testing.T, came, gone []string) {
	for _, p := range f.pools {
		set := p.Stream().Servers()
		for _, id := range came {
			set[id] = f.servers[id]
		}
		for _, id := range gone {
			delete(set, id)
		}
		kit.Check(t, p.Stream().SetServers(set))
	}
}

// die ends a server and its connections.
func (f *fleet) die(id string) {
	f.lan.die(f.servers[id].Addr())
	delete(f.servers, id)
}

func (f *fleet) end() {
	for _, p := range f.pools {
		p.Close()
	}
	for id := range f.servers {
		f.die(id)
	}
}

// count has the connections of the least and the most loaded server, all there
// are, how many have been moved, and the attempts made.
func (f *fleet) count() (least, most, total, moved, dials int) {
	loads := map[rover.Server]int{}
	for _, p := range f.pools {
		s := p.Stats()
		total += s.Kept
		moved += s.Replaced
		for at, n := range s.Servers {
			loads[at] += n
		}
		dials += p.Stream().Stats().Attempts
	}
	least = math.MaxInt
	for _, at := range f.servers {
		least, most = min(least, loads[at]), max(most, loads[at])
	}
	return least, most, total, moved, dials
}

// watch looks at the fleet every quarter of an interval, for so many.
func (f *fleet) watch(intervals float64) roamed {
	_, _, _, before, _ := f.count()
	want := f.max * len(f.pools)
	mean := float64(want) / float64(len(f.servers))
	lowest, highest := min(math.Floor(mean), 0.9*mean)-1e-9, max(math.Ceil(mean), 1.1*mean)+1e-9
	bad, r := 0.0, roamed{}
	for at := 0.25; at <= intervals; at += 0.25 {
		time.Sleep(250 * time.Millisecond)
		least, most, total, moved, _ := f.count()
		if total < want || float64(least) < lowest || float64(most) > highest {
			bad = at
		}
		r.short, r.moved = want-total, float64(moved-before)/float64(want)
	}
	r.settled = bad + 0.25
	return r
}

// rest counts what is done where nothing has to be.
func (f *fleet) rest(intervals int) roamed {
	_, _, _, moved, dials := f.count()
	time.Sleep(time.Duration(intervals) * time.Second)
	_, _, total, after, made := f.count()
	want := f.max * len(f.pools)
	return roamed{
		moved: float64(after-moved) / float64(want),
		dials: float64(made-dials) / float64(len(f.pools)*intervals),
		short: want - total,
	}
}
