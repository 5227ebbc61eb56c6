package main

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/relay"
	"github.com/callosum-go/rover/roam"
	"github.com/urfave/cli/v3"
)

func proxyCommand() *cli.Command {
	return &cli.Command{
		Name:  "proxy",
		Usage: "a local port for a client that knows nothing of slots, to the lowest ones",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "the client dials `HOST:PORT`, or unix:/path", Value: "127.0.0.1:4041"},
		}, serverFlags(), []cli.Flag{
			&countFlag{Name: "max", Usage: "have at most `N` connections to servers", Value: pool.DefaultMax, Config: span{1, math.MaxInt}},
			&countFlag{Name: "idle", Usage: "keep `N` of them ready that nobody uses", Value: 2, Config: span{1, math.MaxInt}},
			&durationFlag{Name: "wait", Usage: "a client without a slot gets a reset after `TIME`", Value: relay.DefaultWait},
			&durationFlag{Name: "quiet", Usage: "close what stands in the way of the balance once it is quiet for `TIME`", Value: relay.DefaultQuiet},
			&durationFlag{Name: "interval", Usage: "the unit of the roving policy's `TIME`: shorter is livelier, and dials more", Value: proxyInterval},
			&durationFlag{Name: "max-age", Usage: "close connections at the age of `TIME`, a tenth earlier or later", HideDefault: true},
			&durationFlag{Name: "dial-timeout", Usage: "`TIME` for dial and slot line together", Value: rover.DefaultDialTimeout},
		}, serviceFlags(), dialerFlags(), clientCertFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			servers, err := serversOf(c)
			if err != nil {
				return err
			}
			if c.Int("idle") > c.Int("max") {
				return usagef("--idle must be at most --max, %d, got %d", c.Int("max"), c.Int("idle"))
			}
			return service(ctx, c, servers.width(), func(ctx context.Context, p *printer) error {
				return runProxy(ctx, c, p, servers)
			})
		},
	}
}

// proxyInterval is a fifth of a pool's: each client that dials takes a connection
// for good, so that the policy, which makes at most max and a few dials an interval,
// is also what limits how many clients may come in a second.
const proxyInterval = 200 * time.Millisecond

func runProxy(ctx context.Context, c *cli.Command, p *printer, servers serverList) error {
	dialer, err := dialer(c, func(err error) { p.print(troubleEvent(err)) })
	if err != nil {
		return err
	}
	l, err := listenOn(c)
	if err != nil {
		return err
	}
	log := p.logger()
	conns, err := pool.Open(context.Background(), // until those that are served have ended
		pool.WithMax(c.Int("max")), pool.WithIdle(c.Int("idle"), c.Int("idle")), pool.WithLogger(log),
		pool.WithRoaming(roam.WithInterval(c.Duration("interval"))),
		pool.WithRover(rover.WithServers(servers.set()), rover.WithDialer(dialer), rover.WithLogger(log),
			rover.WithDialTimeout(c.Duration("dial-timeout"))))
	if err != nil {
		l.Close()
		return err
	}
	defer conns.Close()
	proxy := &relay.Proxy{Pool: conns, Wait: c.Duration("wait"), Quiet: c.Duration("quiet"), MaxAge: c.Duration("max-age"),
		Drain: c.Duration("drain"), HalfOpen: c.Duration("half-open"), Logger: log}
	if c.Bool("each") {
		proxy.OnSession = func(s relay.Session) { p.print(sessionEvent(s, "server")) }
	}
	p.print(listeningEvent(l.Addr(), "over "+count(len(servers), "server")))
	err = proxy.Serve(ctx, l)
	p.relayed(proxy.Stats())
	return err
}
