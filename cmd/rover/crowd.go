package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

const (
	clients  = 6 // of the demo
	reporter = 0 // the client whose events are printed
)

// A crowd is clients that balance themselves, each by a rover and a pool.
type crowd struct {
	tally   *tally
	streams []*rover.Stream
	pools   []*pool.Pool
	done    []<-chan struct{} // of each stream's watch
}

// newCrowd makes clients that keep the given number of connections each. The
// reporter's events are printed.
func newCrowd(p *printer, servers serverList, each int, interval time.Duration) (_ *crowd, err error) {
	c := &crowd{tally: newTally(servers)}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for i := range clients {
		pick := rand.IntN
		if i == reporter {
			pick = rounds()
		}
		stream, err := rover.New(
			rover.WithServers(servers.set()),
			rover.WithInterval(interval),
			rover.WithPick(pick),
			rover.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return c, err
		}
		pool, err := pool.New(pool.WithMax(each))
		if err != nil {
			return c, err
		}
		c.streams, c.pools = append(c.streams, stream), append(c.pools, pool)
		c.done = append(c.done, watch(stream, pool.Offer, func(outcome any, kept bool) {
			c.tally.count(outcome)
			if i == reporter {
				p.print(describe(outcome, kept))
			}
		}))
	}
	return c, nil
}

func (c *crowd) start(ctx context.Context) error {
	for _, s := range c.streams {
		if err := s.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the roving. The pools keep their connections.
func (c *crowd) stop() {
	for i, s := range c.streams {
		s.Stop()
		<-c.done[i]
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

// rounds picks every server once a round, in a new random order each time. So
// it soon meets each of them, and all three streams.
func rounds() func(n int) int {
	var left []int
	return func(n int) int {
		if len(left) == 0 {
			left = rand.Perm(n)
		}
		next := left[0]
		left = left[1:]
		return next
	}
}
