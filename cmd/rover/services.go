package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/callosum-go/rover/relay"
	"github.com/urfave/cli/v3"
)

// What front and proxy have in common: flags, and what they print.

func serviceFlags() []cli.Flag {
	return []cli.Flag{
		&durationFlag{Name: "drain", Usage: "at the end, wait so long (`TIME`) for those that are busy", Value: relay.DefaultDrain},
		&durationFlag{Name: "half-open", Usage: "close after `TIME` of silence once one side has ended", Value: relay.DefaultHalfOpen},
		&switchFlag{Name: "each", Usage: "print a line for each connection that has ended", HideDefault: true},
		forFlag(0), jsonFlag(),
	}
}

// listenFlag reads an address to listen on: HOST:PORT or unix:/path.
func listenOn(c *cli.Command) (net.Listener, error) {
	address := c.String("listen")
	if err := checkAddress(address, 0); err != nil {
		return nil, usagef("--listen %q: %w", address, err)
	}
	return relay.Listen(address)
}

// checkAddress wants HOST:PORT or unix:/path.
func checkAddress(s string, lowest int) error {
	if network, path := relay.SplitAddress(s); network == "unix" {
		if path == "" {
			return fmt.Errorf("the path is empty, want unix:/path")
		}
		return nil
	}
	_, _, err := parseAddress(s, lowest)
	if err != nil && !strings.Contains(s, "/") {
		return err
	} else if err != nil {
		return fmt.Errorf("%w, or unix:/path", err)
	}
	return nil
}

// listeningEvent says where, which is all that a program of another language needs.
func listeningEvent(at net.Addr, detail string) event {
	e := event{name: "listening", colour: cyan, id: at.String(), detail: detail}
	if tcp, ok := at.(*net.TCPAddr); ok {
		e.fields = endpoint(tcp)
	} else {
		e.fields = struct {
			Path string `json:"path"`
		}{at.String()}
	}
	return e
}

// sessionEvent is of a client that was served; side is what it talked to.
func sessionEvent(s relay.Session, side string) event {
	who := map[relay.Side]string{relay.A: "client", relay.B: side, relay.Neither: "relay"}[s.First]
	detail := fmt.Sprintf("slot %-4d %s sent, %s got, %v, %s ended", s.Slot, size(s.Sent), size(s.Got), brief(s.Took), who)
	id, cause := s.Server, ""
	if s.Err != nil {
		cause = reason(s.Err)
		detail += ": " + cause
	}
	return event{name: "session", id: id, detail: detail, fields: struct {
		ID     string `json:"id"` // of the server
		Client string `json:"client"`
		Slot   int    `json:"slot"`
		Sent   int64  `json:"sent"`
		Got    int64  `json:"got"`
		Took   millis `json:"took_ms"`
		Ended  string `json:"ended_by"`
		Cause  string `json:"cause,omitempty"`
	}{id, s.Client.String(), s.Slot, s.Sent, s.Got, inMillis(s.Took), who, cause}}
}

// size is a number of bytes for people.
func size(n int64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if n < 10_000 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%d TB", n)
}

// relayed is the end of a front or proxy.
func (p *printer) relayed(s relay.Stats) {
	refused := 0
	var causes []string
	for _, cause := range slices.Sorted(maps.Keys(s.Refused)) {
		refused += s.Refused[cause]
		causes = append(causes, fmt.Sprintf("%d %s", s.Refused[cause], cause))
	}
	if p.json {
		if s.Refused == nil {
			s.Refused = map[string]int{}
		}
		p.print(event{name: "summary", fields: struct {
			Served  int            `json:"served"`
			Sent    int64          `json:"sent"`
			Got     int64          `json:"got"`
			Retired int            `json:"retired"`
			Cut     int            `json:"cut"`
			Refused map[string]int `json:"refused"`
		}{s.Served, s.Sent, s.Got, s.Retired, s.Cut, s.Refused}})
		return
	}
	text := fmt.Sprintf("\n%s served, %s sent, %s got; %d retired, %d cut; %d refused",
		count(s.Served, "client"), size(s.Sent), size(s.Got), s.Retired, s.Cut, refused)
	if refused > 0 {
		text += ": " + strings.Join(causes, ", ")
	}
	p.text(text + "\n")
}

// troubles is a log that prints events.
type troubles struct{ print func(event) }

// logger has the printer print what goes wrong, and what goes well again.
func (p *printer) logger() *slog.Logger { return slog.New(troubles{p.print}) }

func (troubles) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (t troubles) WithAttrs([]slog.Attr) slog.Handler             { return t }
func (t troubles) WithGroup(string) slog.Handler                  { return t }

func (t troubles) Handle(_ context.Context, r slog.Record) error {
	message := r.Message
	for _, ours := range []string{"relay: front: ", "relay: proxy: ", "relay: ", "server: ", "pool: ", "rover: "} {
		message = strings.TrimPrefix(message, ours)
	}
	e := event{name: "trouble", colour: yellow, detail: message}
	if r.Level < slog.LevelWarn {
		e.name, e.colour = "notice", plain
	}
	fields := map[string]any{"message": message}
	r.Attrs(func(a slog.Attr) bool {
		switch v := a.Value.Any().(type) {
		case error:
			fields["cause"], fields["error"] = reason(v), v.Error()
			e.detail += ": " + reason(v)
		default:
			fields[a.Key] = v
		}
		return true
	})
	e.fields = fields
	t.print(e)
	return nil
}

// troubleEvent is an error of a service that goes on.
func troubleEvent(err error) event {
	return event{name: "trouble", colour: yellow, detail: oneLine(err.Error()),
		fields: map[string]any{"message": oneLine(err.Error()), "cause": reason(err), "error": err.Error()}}
}
