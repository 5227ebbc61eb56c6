package main

import (
	"context"
	"crypto/tls"
	"math"
	"slices"

	"github.com/callosum-go/rover/relay"
	"github.com/callosum-go/rover/server"
	"github.com/urfave/cli/v3"
)

func frontCommand() *cli.Command {
	return &cli.Command{
		Name:  "front",
		Usage: "give out slots for a server that knows nothing of them",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "clients with a rover dial `HOST:PORT`, or unix:/path", Value: "127.0.0.1:4040"},
			&cli.StringFlag{Name: "backend", Usage: "the server, at `HOST:PORT`, or unix:/path"},
			&cli.StringFlag{Name: "mode", Usage: "`MODE` eager dials the server before each slot line, lazy at the client's first byte", Value: "eager"},
			&countFlag{Name: "limit", Usage: "refuse clients beyond `N`; 0 is no limit", Config: span{0, math.MaxInt}},
			&weightFlag{Name: "weight", Usage: "take `W` times as many clients as a front of weight 1", Value: 1},
			&durationFlag{Name: "slow-start", Usage: "have the weight grow from a tenth to the whole in `TIME`", HideDefault: true},
			&cli.StringFlag{Name: "proxy-protocol", Usage: "send the server a PROXY header of `VERSION` v1 or v2"},
		}, serviceFlags(), listenerFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			front, err := frontOf(c)
			if err != nil {
				return err
			}
			return service(ctx, c, len("255.255.255.255:65535"), func(ctx context.Context, p *printer) error {
				return runFront(ctx, c, p, front)
			})
		},
	}
}

// frontOf is what the flags ask for, but for TLS.
func frontOf(c *cli.Command) (*relay.Front, error) {
	backend := c.String("backend")
	if backend == "" {
		return nil, usagef("no server to stand before; want --backend HOST:PORT, or --backend unix:/path")
	}
	if err := checkAddress(backend, 1); err != nil {
		return nil, usagef("--backend %q: %w", backend, err)
	}
	f := &relay.Front{Dial: relay.Dialer(backend),
		Options: []server.Option{server.WithWeight(c.Float("weight")), server.WithSlowStart(c.Duration("slow-start"))},
		Limit:   c.Int("limit"), Drain: c.Duration("drain"), HalfOpen: c.Duration("half-open")}
	switch mode := c.String("mode"); mode {
	case "eager":
	case "lazy":
		f.Lazy = true
	default:
		return nil, usagef("--mode %q: want eager or lazy", mode)
	}
	var err error
	switch version := c.String("proxy-protocol"); version {
	case "":
	case "v1":
		f.Header, err = relay.ProxyProtocol(1)
	case "v2":
		f.Header, err = relay.ProxyProtocol(2)
	default:
		return nil, usagef("--proxy-protocol %q: want v1 or v2", version)
	}
	return f, err
}

func runFront(ctx context.Context, c *cli.Command, p *printer, f *relay.Front) error {
	var secure *tls.Config
	secure, err := tlsConfig(c, func(err error) { p.print(troubleEvent(err)) })
	if err != nil {
		return err
	}
	l, err := listenOn(c)
	if err != nil {
		return err
	}
	f.TLS, f.Logger = secure, p.logger()
	if c.Bool("each") {
		f.OnSession = func(s relay.Session) { p.print(sessionEvent(s, "server")) }
	}
	p.print(listeningEvent(l.Addr(), "before "+c.String("backend")))
	err = f.Serve(ctx, l)
	p.relayed(f.Stats())
	return err
}
