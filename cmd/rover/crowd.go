package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
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

	interval time.Duration
	work     sync.WaitGroup
	rest     context.CancelFunc // ends the work
}

// newCrowd makes clients that keep the given number of connections each, and
// know no server until start. The reporter's events are printed.
func newCrowd(p *printer, servers serverList, each int, interval time.Duration) (_ *crowd, err error) {
	c := &crowd{servers: servers, tally: newTally(servers), interval: interval, rest: func() {}}
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
	ctx, rest := context.WithCancel(context.Background())
	c.rest = rest
	for _, p := range c.pools {
		c.work.Go(func() {
			for ctx.Err() == nil {
				ask(ctx, p, c.interval)
				select {
				case <-ctx.Done():
				case <-time.After(c.interval / 2):
				}
			}
		})
	}
	return nil
}

// ask has a server answer something: a pool leaves servers alone whose connections
// end young and of no use to anybody.
func ask(ctx context.Context, p *pool.Pool, within time.Duration) {
	conn, err := p.Get(ctx)
	if err != nil {
		return
	}
	conn.SetDeadline(time.Now().Add(max(within, time.Second)))
	_, asked := io.WriteString(conn, "?")
	if _, err := io.ReadFull(conn, make([]byte, 1)); asked != nil || err != nil {
		conn.Close()
		return
	}
	conn.Release()
}

// stop ends the roving. The pools keep their connections.
func (c *crowd) stop() {
	c.rest()
	c.work.Wait()
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
