package roam_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
	"github.com/callosum-go/rover/server"
	"github.com/reactivex/rxgo/v2"
)

// farm serves slots under these ids until close.
func farm(ids ...string) (servers map[string]rover.Server, closeAll func()) {
	servers = map[string]rover.Server{}
	var listeners []net.Listener
	for _, id := range ids {
		l, err := server.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
			}
		}()
		at := l.Addr().(*net.TCPAddr)
		servers[id] = rover.Server{Host: at.IP.String(), Port: at.Port}
		listeners = append(listeners, l)
	}
	return servers, func() {
		for _, l := range listeners {
			l.Close()
		}
	}
}

// The parts that pool.Open wires, by hand, and an attempt every hour besides.
func ExamplePolicy() {
	servers, closeAll := farm("a", "b")
	defer closeAll()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	policy, err := roam.New(roam.WithIdle(16), roam.WithBurst(8))
	if err != nil {
		panic(err)
	}
	ticks := rover.Merge([]rxgo.Observable{policy.Attempts(), rover.Interval(time.Hour)})
	stream, err := rover.New(rover.WithServers(servers), rover.WithTicks(ticks))
	if err != nil {
		panic(err)
	}
	conns, err := pool.New(pool.WithMax(4), pool.WithChoice(policy.Choose))
	if err != nil {
		panic(err)
	}
	policy.Learn(ctx, stream.Outcomes(), stream.Sets(), conns.Moves())
	conns.Attach(ctx, stream.Connections())
	states := policy.State().Observe(rxgo.WithContext(ctx))
	full := conns.Moves().Observe(rxgo.WithContext(ctx))
	if err := stream.Start(ctx); err != nil {
		panic(err)
	}
	defer conns.Close()
	defer stream.Stop() // first

	for conns.Stats().Kept < 4 {
		<-full
	}
	fmt.Println(conns.Stats().Kept, "kept")
	fmt.Printf("%T\n", (<-states).V)
	// Output:
	// 4 kept
	// roam.State
}

// A zone is a policy of its own: servers whose ids begin with its name are looked
// at more often, and all others make room for them.
type zone struct {
	name string
	near sync.Map // ids of those that answered last
}

func (z *zone) has(id string) bool { return strings.HasPrefix(id, z.name) }

// hear is for each of a rover's Outcomes.
func (z *zone) hear(v any) {
	if o := v.(rover.Outcome); z.has(o.ID) && o.Err == nil {
		z.near.Store(o.ID, true)
	} else {
		z.near.Delete(o.ID)
	}
}

// aim is for ticks: it has them dial a server of the zone, if one is known.
func (z *zone) aim(_ context.Context, tick any) (any, error) {
	z.near.Range(func(id, _ any) bool {
		tick = rover.To(id.(string))
		return rand.IntN(2) > 0 // or is it the next one?
	})
	return tick, nil
}

// choose is for pool.WithChoice.
func (z *zone) choose(v roam.View, c *rover.Connection) roam.Verdict {
	if v.Short() > 0 {
		return roam.Verdict{Choice: roam.Keep}
	}
	for i, h := range slices.Backward(v.Kept) { // the highest slot first
		if z.has(c.ID) && !z.has(h.ID) || z.has(c.ID) == z.has(h.ID) && c.Slot < h.Slot {
			return roam.Verdict{Choice: roam.Replace, Victim: i}
		}
	}
	return roam.Verdict{}
}

// A policy of one's own, through the same doors: ticks that aim, and a choice.
// examples/policy is the same as a program.
func Example_zones() {
	servers, closeAll := farm("north-1", "north-2", "south-1")
	defer closeAll()
	z := &zone{name: "north-"}
	ticks := rover.Merge([]rxgo.Observable{rover.Interval(time.Millisecond).Map(z.aim), rover.Interval(4 * time.Millisecond)})
	conns, err := pool.Open(context.Background(), pool.WithMax(4), pool.WithChoice(z.choose),
		pool.WithRover(rover.WithServers(servers), rover.WithTicks(ticks)))
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	conns.Stream().Outcomes().ForEach(z.hear, func(error) {}, func() {})
	moves := conns.Moves().Observe()
	for conns.Stats().Servers[servers["north-1"]] != 2 || conns.Stats().Servers[servers["north-2"]] != 2 {
		<-moves
	}
	fmt.Println("all of the zone")
	conns.Close()
	for range moves { // to the end
	}
	// Output: all of the zone
}
