package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "watch clients balance themselves over servers, with nothing to install",
		Flags: []cli.Flag{
			&countFlag{Name: "servers", Usage: "`N` slot servers, from 1 to 12", Value: 3, Config: span{1, 12}},
			&durationFlag{Name: "interval", Usage: "`TIME` of a client's interval", Value: 200 * time.Millisecond},
			forFlag(10 * time.Second), jsonFlag(),
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			return session(ctx, c, len("nonsense"), func(ctx context.Context, p *printer) error {
				return demo(ctx, p, c.Int("servers"), c.Duration("interval"), c.Duration("for"))
			})
		},
	}
}

// demo has clients rove over a fleet on loopback and balance themselves, until
// ctx ends, which is after length unless a signal comes.
func demo(ctx context.Context, p *printer, servers int, interval, length time.Duration) error {
	fleet, err := newFleet(servers)
	if err != nil {
		return err
	}
	defer fleet.close()
	if !p.json {
		p.text(fmt.Sprintf("%d clients rove over %s, a port where nobody listens and a server\n"+
			"that talks nonsense. Each client keeps %s: %d a server is even.\n"+
			"One of them reports what it meets:\n\n",
			clients, count(servers, "slot server"), count(servers, "connection"), clients))
	}
	crowd, err := newCrowd(p, fleet.list(), servers, interval)
	if err != nil {
		return err
	}
	defer crowd.close()
	if err := crowd.start(); err != nil {
		return err
	}
	direct(ctx, p, fleet, crowd, interval, length)
	crowd.stop()
	p.summary(crowd.tally, crowd.kept())
	return nil
}

// Times of the demo, in intervals.
const (
	balanceEvery = 5
	settled      = 20 // time for clients to become even
	away         = 3  // how long a restart takes
)

// direct prints the balance every few intervals. It restarts a server half-way
// if there is time to become even before and after.
func direct(ctx context.Context, p *printer, fleet *fleet, crowd *crowd, interval, length time.Duration) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	half, restarts := int(length/interval/2), fleet.servers[0]
	down := half - half%balanceEvery - 1 // so that the next line shows what is lost
	for n := 1; ; n++ {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		if n == down && half >= settled {
			restarts.down(p)
		} else if n >= down+away {
			restarts.up(p)
		}
		if n%balanceEvery == 0 {
			p.print(fleet.balance(crowd.kept()))
		}
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
