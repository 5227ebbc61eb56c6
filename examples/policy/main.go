// Command policy keeps connections to servers of its own zone, by a roving policy
// of its own: thirty lines, in zone.go. It ends when its four are, two to each.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
	"github.com/reactivex/rxgo/v2"
)

func main() {
	servers := map[string]rover.Server{}
	for _, id := range []string{"north-1", "north-2", "south-1", "south-2"} {
		listener, err := server.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		defer listener.Close()
		go serve(listener)
		servers[id] = rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, servers, &zone{name: "north-"}, 20*time.Millisecond); err != nil {
		log.Fatal(err)
	}
}

// run roves until all of four connections are to servers of the zone, and even.
func run(ctx context.Context, servers map[string]rover.Server, z *zone, interval time.Duration) error {
	// One attempt an interval at the zone, one in four at any server: a policy is
	// ticks, and ticks can be merged.
	ticks := rover.Merge([]rxgo.Observable{rover.Interval(interval).Map(z.aim), rover.Interval(4 * interval)})
	conns, err := pool.Open(ctx,
		pool.WithMax(4),
		pool.WithChoice(z.choose),
		pool.WithRover(rover.WithServers(servers), rover.WithTicks(ticks)))
	if err != nil {
		return err
	}
	defer conns.Close()
	conns.Stream().Outcomes().ForEach(z.hear, func(error) {}, func() {})

	for ctx.Err() == nil {
		kept := conns.Stats().Servers
		if kept[servers["north-1"]] == 2 && kept[servers["north-2"]] == 2 {
			for _, id := range slices.Sorted(maps.Keys(servers)) {
				fmt.Println(id, kept[servers[id]])
			}
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
	return errors.New("policy: not all of the zone within the time")
}

// serve reads what comes until the client leaves.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept() // its slot line is written
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.Copy(io.Discard, conn)
		}()
	}
}
