package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// TestFleet has 20 rovers, each with a pool of 10, balance themselves over
// servers that join, die and restart. Nobody tells them how.
func TestFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{network: newNetwork(), servers: map[string]rover.Server{}, die: map[string]func(){}}
		for range 10 {
			f.join(t)
		}
		for range 20 {
			f.rove(t, 10)
		}
		defer f.end()
		f.settle(t, "20 rovers find 10 servers")
		f.join(t)
		f.join(t)
		f.settle(t, "2 servers join")
		f.leave("s3")
		f.settle(t, "1 server dies")
		f.die["s7"]()
		f.die["s7"] = f.serve(t, f.servers["s7"])
		f.settle(t, "1 server restarts")
	})
}

type fleet struct {
	*network
	servers map[string]rover.Server
	die     map[string]func()
	rovers  []*rover.Stream
	pools   []*pool.Pool
}

func (f *fleet) join(t *testing.T) {
	id := fmt.Sprintf("s%d", len(f.servers))
	at := rover.Server{Host: id, Port: 4040}
	f.servers[id] = at
	f.die[id] = f.serve(t, at)
	for _, r := range f.rovers {
		kit.Check(t, r.AddServer(id, at))
	}
}

func (f *fleet) leave(id string) {
	for _, r := range f.rovers {
		r.DropServer(id)
	}
	f.die[id]()
	delete(f.die, id)
	delete(f.servers, id)
}

func (f *fleet) rove(t *testing.T, max int) {
	r := kit.Must(rover.New(rover.WithServers(f.servers), rover.WithDialer(f.network),
		rover.WithLogger(kit.Quiet())))(t)
	p := kit.Must(pool.New(pool.WithMax(max)))(t)
	p.Attach(context.Background(), r.Connections())
	kit.Check(t, r.Start(context.Background()))
	f.rovers, f.pools = append(f.rovers, r), append(f.pools, p)
}

// count has the connections of each server, how many there are in all, and how
// many have been moved so far.
func (f *fleet) count() (least, most, total, moved int) {
	of := map[rover.Server]int{}
	for _, p := range f.pools {
		s := p.Stats()
		total += s.Kept
		moved += s.Replaced
		for at, n := range s.Servers {
			of[at] += n
		}
	}
	least = total
	for _, at := range f.servers {
		least, most = min(least, of[at]), max(most, of[at])
	}
	return least, most, total, moved
}

// rest is for how many intervals nothing moves before a fleet is taken to be
// at rest. One that can do better finds the one server of 12 that it needs
// with a probability of 1 - (11/12)^200: it misses it once in 36 million.
const rest = 200

// settle lets intervals pass until nothing moves any more. Then the servers
// must have the same number of connections, but for one.
func (f *fleet) settle(t *testing.T, after string) {
	t.Helper()
	time.Sleep(rover.DefaultInterval / 2) // between two ticks
	_, _, _, start := f.count()
	first, last, before := -1, 0, -1
	for n := 0; n < last+rest; n++ {
		least, most, total, moved := f.count()
		if first < 0 && total == f.wanted() && most-least <= 1 {
			first = n
		}
		if moved != before || total < f.wanted() {
			last, before = n, moved
		}
		time.Sleep(rover.DefaultInterval)
	}
	least, most, total, moved := f.count()
	t.Logf("%s: balanced after %d intervals, at rest after %d: %d to %d connections a server, %d moved",
		after, first, last, least, most, moved-start)
	if total != f.wanted() || most-least > 1 {
		t.Fatalf("%d of %d connections", total, f.wanted())
	}
	time.Sleep(rover.DefaultInterval / 2)
}

func (f *fleet) wanted() int { return 10 * len(f.pools) }

func (f *fleet) end() {
	for i := range f.rovers {
		f.rovers[i].Stop()
		f.pools[i].Close()
	}
	for _, die := range f.die {
		die()
	}
}
