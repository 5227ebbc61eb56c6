package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
)

const (
	clients  = 6 // of the demo
	reporter = 0 // the client whose events are printed
)

// A crowd is clients that balance themselves, each with a pool.
type crowd struct {
	servers serverList
	tally   *tally
	pools   []*pool.Pool
	done    []<-chan struct{} // of what watches their outcomes
}

// newCrowd makes clients that keep the given number of connections each, and
// know no server until start. The reporter's events are printed.
func newCrowd(p *printer, servers serverList, each int, interval time.Duration) (_ *crowd, err error) {
	c := &crowd{servers: servers, tally: newTally(servers)}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for i := range clients {
		conns, err := pool.Open(context.Background(),
			pool.WithMax(each),
			pool.WithRoaming(roam.WithInterval(interval)),
			pool.WithRover(rover.WithLogger(slog.New(slog.DiscardHandler))))
		if err != nil {
			return c, err
		}
		c.pools = append(c.pools, conns)
		c.done = append(c.done, conns.Stream().Outcomes().ForEach(func(v any) {
			c.tally.outcome(v.(rover.Outcome))
		}, func(error) {}, func() {}))
		if i == reporter {
			c.done = append(c.done, reportOn(conns, interval, p.print))
		}
	}
	return c, nil
}

// start has the clients learn of the servers, all at once.
func (c *crowd) start() error {
	for _, p := range c.pools {
		if err := p.Stream().SetServers(c.servers.set()); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the roving. The pools keep their connections.
func (c *crowd) stop() {
	for _, p := range c.pools {
		p.Stream().Stop()
	}
	for _, done := range c.done {
		<-done
	}
}

func (c *crowd) close() {
	c.stop()
	for _, p := range c.pools {
		p.Close()
	}
}

// kept is how many connections all pools have of each server.
func (c *crowd) kept() map[rover.Server]int {
	sum := make(map[rover.Server]int)
	for _, p := range c.pools {
		for server, n := range p.Stats().Servers {
			sum[server] += n
		}
	}
	return sum
}
