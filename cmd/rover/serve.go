package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover/server"
	"github.com/urfave/cli/v3"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve slots, and print who gets which and when it is free again",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "listen on `HOST:PORT`; port 0 is any free one", Value: "127.0.0.1:4040"},
			forFlag(0), jsonFlag(),
		}, listenerFlags()...),
		Action: func(ctx context.Context, c *cli.Command) error {
			address := c.String("listen")
			if _, _, err := parseAddress(address, 0); err != nil {
				return usagef("--listen %q: %w", address, err)
			}
			return session(ctx, c, len("255.255.255.255:65535"), func(ctx context.Context, p *printer) error {
				secure, err := tlsConfig(c, func(err error) { p.print(errorEvent(err)) })
				if err != nil {
					return err
				}
				return serve(ctx, p, address, secure)
			})
		},
	}
}

// serve gives out slots until ctx ends; with TLS if secure is not nil.
func serve(ctx context.Context, p *printer, address string, secure *tls.Config) error {
	inner, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	p.print(event{name: "listening", colour: cyan, id: inner.Addr().String(), fields: endpoint(inner.Addr())})
	if secure != nil {
		inner = tls.NewListener(inner, secure)
	}
	register := register{printer: p, since: make(map[*server.Conn]time.Time)}
	l, err := server.NewListener(inner,
		server.WithOnGiven(register.given), server.WithOnFreed(register.freed),
		server.WithOnError(func(err error) { p.print(errorEvent(err)) }),
		server.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		inner.Close()
		return err
	}
	h := newHost(l, "")
	select {
	case <-ctx.Done():
	case err = <-h.broken:
	}
	h.close()
	register.sum()
	return err
}

// A register prints each slot that is given or freed.
type register struct {
	*printer

	mu    sync.Mutex
	since map[*server.Conn]time.Time
	all   int // slots given
	most  int // taken at once
}

func (r *register) given(c *server.Conn) {
	r.mu.Lock()
	r.since[c] = time.Now()
	r.all++
	r.most = max(r.most, len(r.since))
	r.mu.Unlock()
	r.print(slotEvent("given", green, c, 0))
}

func (r *register) freed(c *server.Conn) {
	r.mu.Lock()
	since := r.since[c]
	delete(r.since, c)
	r.mu.Unlock()
	r.print(slotEvent("freed", grey, c, max(time.Since(since), 1)))
}

// brief rounds d to three digits or so.
func brief(d time.Duration) time.Duration {
	for unit := time.Second; unit >= time.Microsecond; unit /= 10 {
		if d >= 10*unit {
			return d.Round(unit / 10)
		}
	}
	return d
}

func (r *register) sum() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.json {
		r.print(event{name: "summary", fields: struct {
			Given int `json:"given"`
			Most  int `json:"most"`
		}{r.all, r.most}})
		return
	}
	r.text(fmt.Sprintf("\n%d slots given, at most %d at once\n", r.all, r.most))
}

// slotEvent is of a slot that is given, or freed after it was held so long.
func slotEvent(name string, colour colour, c *server.Conn, held time.Duration) event {
	detail := fmt.Sprintf("slot %d", c.Slot())
	if held > 0 {
		detail = fmt.Sprintf("slot %-4d after %v", c.Slot(), brief(held))
	}
	at := endpoint(c.RemoteAddr())
	return event{name: name, colour: colour, id: c.RemoteAddr().String(), detail: detail, fields: struct {
		ID string `json:"id"`
		address
		Slot int    `json:"slot"`
		Held millis `json:"held_ms,omitempty"`
	}{c.RemoteAddr().String(), at, c.Slot(), inMillis(held)}}
}

// An address is one end of a connection, as JSON.
type address struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

func endpoint(a net.Addr) address {
	tcp := a.(*net.TCPAddr) // the only kind we listen on
	return address{tcp.AddrPort().Addr().Unmap().String(), tcp.Port}
}
