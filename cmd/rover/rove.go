package main

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/reactivex/rxgo/v2"
	"github.com/urfave/cli/v3"
)

func roveCommand() *cli.Command {
	return &cli.Command{
		Name:  "rove",
		Usage: "rove over servers, and print what comes of each attempt",
		Flags: slices.Concat(serverFlags(), []cli.Flag{
			&durationFlag{Name: "interval", Usage: "`TIME` between attempts", Value: rover.DefaultInterval},
			&durationFlag{Name: "dial-timeout", Usage: "`TIME` for dial and slot line together", Value: rover.DefaultDialTimeout},
			&countFlag{Name: "keep-below", Usage: "keep slots below `N` to the end, decline the rest",
				Config: span{0, math.MaxInt}},
			forFlag(0), jsonFlag(),
		}, dialerFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			servers, err := serversOf(c)
			if err != nil {
				return err
			}
			dialer, err := dialer(c, func(error) {}) // what dials with the former then says so
			if err != nil {
				return err
			}
			return session(ctx, c, servers.width(), func(ctx context.Context, p *printer) error {
				return rove(ctx, p, servers, c.Int("keep-below"),
					rover.WithInterval(c.Duration("interval")),
					rover.WithDialTimeout(c.Duration("dial-timeout")),
					rover.WithDialer(dialer))
			})
		},
	}
}

// rove roves over servers until ctx ends, and keeps the slots below keepBelow.
func rove(ctx context.Context, p *printer, servers serverList, keepBelow int, opts ...rover.Option) error {
	stream, err := rover.New(append(opts, rover.WithServers(servers.set()), rover.WithLogger(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		return err
	}
	kept, err := pool.New(pool.WithMax(math.MaxInt)) // a pool notices when a server hangs up
	if err != nil {
		return err
	}
	defer kept.Close()

	tally := newTally(servers)
	all := rover.Merge([]rxgo.Observable{stream.Connections(), stream.Unreachable(), stream.Errors()})
	done := all.ForEach(func(v any) {
		c, answered := v.(*rover.Connection)
		if !answered {
			tally.failure(v.(error))
			p.print(failureEvent(v.(error)))
			return
		}
		verdict := "declined"
		if c.Slot >= keepBelow {
			c.Decline()
		} else if kept.Offer(c) {
			verdict = "kept"
		}
		tally.connection(c.ID, c.Slot)
		p.print(connectionEvent(c.ID, c.Server, c.Slot, verdict, c.Took))
	}, func(error) {}, func() {}) // the streams carry errors as values and do not fail
	if err := stream.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	stream.Stop()
	<-done
	p.summary(tally, kept.Stats().Servers)
	return nil
}

// width is the longest id's.
func (l serverList) width() (w int) {
	for _, n := range l {
		w = max(w, utf8.RuneCountInString(n.id))
	}
	return w
}
