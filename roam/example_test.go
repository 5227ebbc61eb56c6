package roam_test

import (
	"context"
	"fmt"
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

// zones is a policy of one's own: servers of the own zone, whose ids begin with
// it, are dialed nine times in ten, and everybody else makes room for them.
type zones struct {
	mu   sync.Mutex
	zone string
	near []string        // ids of the zone, in force
	down map[string]bool // did not answer last
}

func (z *zones) mine(id string) bool { return strings.HasPrefix(id, z.zone) }

func (z *zones) learn(set rover.SetChange) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.near = slices.DeleteFunc(z.near, func(id string) bool { _, gone := set.Dropped[id]; return gone })
	for id := range set.Added {
		if z.mine(id) {
			z.near = append(z.near, id)
		}
	}
}

func (z *zones) hear(o rover.Outcome) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.down[o.ID] = o.Err != nil
}

// aim makes a tick one at the zone, or leaves it to the rover.
func (z *zones) aim(_ context.Context, n any) (any, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for i := range z.near {
		if id := z.near[(n.(int)+i)%len(z.near)]; !z.down[id] && n.(int)%10 != 9 {
			return rover.To(id), nil
		}
	}
	return n, nil
}

func (z *zones) choose(v roam.View, c *rover.Connection) roam.Verdict {
	if v.Short() > 0 {
		return roam.Verdict{Choice: roam.Keep}
	}
	for i, h := range slices.Backward(v.Kept) { // the highest slot first
		if better := z.mine(c.ID) == z.mine(h.ID) && c.Slot < h.Slot; better || z.mine(c.ID) && !z.mine(h.ID) {
			return roam.Verdict{Choice: roam.Replace, Victim: i}
		}
	}
	return roam.Verdict{}
}

func Example_zones() {
	servers, closeAll := farm("north-1", "north-2", "south-1")
	defer closeAll()
	z := &zones{zone: "north-", down: map[string]bool{}}
	stream, err := rover.New(rover.WithServers(servers), rover.WithTicks(rover.Interval(time.Millisecond).Map(z.aim)))
	if err != nil {
		panic(err)
	}
	conns, err := pool.New(pool.WithMax(4), pool.WithChoice(z.choose))
	if err != nil {
		panic(err)
	}
	stream.Sets().ForEach(func(v any) { z.learn(v.(rover.SetChange)) }, nil, func() {})
	stream.Outcomes().ForEach(func(v any) { z.hear(v.(rover.Outcome)) }, nil, func() {})
	moves := conns.Moves().Observe()
	conns.Attach(context.Background(), stream.Connections())
	if err := stream.Start(context.Background()); err != nil {
		panic(err)
	}

	view := roam.View{Max: 4}
	all := func() bool {
		return view.Short() == 0 && !slices.ContainsFunc(view.Kept, func(h roam.Held) bool { return !z.mine(h.ID) })
	}
	for !all() {
		view.Apply((<-moves).V.(pool.Change))
	}
	fmt.Println("all of the zone")
	stream.Stop()
	conns.Close()
	for range moves { // to the end
	}
	// Output: all of the zone
}
