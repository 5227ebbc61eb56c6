package simulate

import (
	"math"
	"strings"
	"testing"

	"github.com/callosum-go/rover/roam"
)

func TestParseFleet(t *testing.T) {
	f, err := ParseFleet("1000x100x4")
	equal(t, "fleet", f, Fleet{Clients: 1000, Servers: 100, Max: 4})
	equal(t, "error", err, nil)
	equal(t, "as text", f.String(), "1000x100x4")
	for s, want := range map[string]string{
		"":             `simulate: fleet must be CLIENTSxSERVERSxMAX, such as 1000x100x4, got ""`,
		"10x10":        `got "10x10"`,
		"10x10x10x10":  `got "10x10x10x10"`,
		"10x10xten":    `got "10x10xten"`,
		"0x10x10":      "simulate: clients must be from 1 to 100000, got 0",
		"10x10001x10":  "simulate: servers must be from 1 to 10000, got 10001",
		"10x10x-1":     "simulate: max must be from 1 to 1000, got -1",
		"100000x999x1": "simulate: clients × servers must be at most 50000000, got 100000 × 999",
	} {
		if _, err := ParseFleet(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", s, err, want)
		}
	}
}

func TestParseEvent(t *testing.T) {
	for s, want := range map[string]string{
		"cold": "cold", "add": "add=20%", "add=8": "add=8", "add=12.5%": "add=12.5%", "replace": "replace=1", "replace=100%": "replace=100%",
		"restart=2.5": "restart=2.5", "weights=0.5": "weights=0.5", "lie": "lie", "join=300%": "join=300%",
	} {
		e, err := ParseEvent(s)
		if err != nil || e.String() != want {
			t.Errorf("%s: got %v, %v, want %s", s, e, err, want)
		}
	}
	equal(t, "the zero value", Event{}.String(), "cold")
	for s, want := range map[string]string{
		"fly":           "simulate: event must be one of add, cold, drain, fail, join, kill, leave, lie, replace, restart, silence, slowstart, weights, got \"fly\"",
		"add=x":         `simulate: event add must have a number of servers above 0, such as add=3 or add=20%, got "add=x"`,
		"add=":          "such as add=3 or add=20%",
		"add=0":         "above 0",
		"add=-1":        "above 0",
		"add=1.5":       "such as add=3",
		"add=NaN":       "such as add=3",
		"cold=1":        `simulate: event cold takes no number, got "cold=1"`,
		"restart=50%":   `simulate: event restart must have a number of intervals above 0, such as restart=3, got "restart=50%"`,
		"restart=10001": "such as restart=3",
	} {
		if _, err := ParseEvent(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", s, err, want)
		}
	}
	equal(t, "lines", len(EventUsage()), len(eventKinds))
}

func TestCheck(t *testing.T) {
	event := func(s string) Event {
		e, err := ParseEvent(s)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for want, change := range map[string]func(*Config){
		"":                               func(*Config) {},
		"servers must be from 1":         func(c *Config) { c.Fleet.Servers = 0 },
		"seeds must be from 1 to 10000":  func(c *Config) { c.Seeds = -1 },
		"horizon must be from 1":         func(c *Config) { c.Horizon = math.NaN() },
		"rtt must be from 0 to 10":       func(c *Config) { c.Network.RTT = -1 },
		"loss must be from 0 to 1":       func(c *Config) { c.Network.Loss = 2 },
		"drift must be from 0 to 1":      func(c *Config) { c.Network.Drift = math.NaN() },
		"slow clients must be":           func(c *Config) { c.Network.SlowClients = 1.1 },
		"slow servers must be":           func(c *Config) { c.Network.SlowServers = 1.1 },
		"late must be from 0 to 1000":    func(c *Config) { c.Network.Late = 1e9 },
		"roam: idle must be":             func(c *Config) { c.Core.Idle = -1 },
		"at most 9 servers in a fleet":   func(c *Config) { c.Event = event("kill=10") },
		"event fail must be of at most":  func(c *Config) { c.Event = event("fail=100%") },
		"at most 10 servers in a fleet":  func(c *Config) { c.Event = event("replace=11") },
		"at most 19 clients in a fleet":  func(c *Config) { c.Event = event("leave=20") },
		"at most 10000 servers in a":     func(c *Config) { c.Event = event("add=10001") },
		"at most 100000 clients in a fl": func(c *Config) { c.Event = event("join=1000000") },
	} {
		c := Config{Fleet: Fleet{Clients: 20, Servers: 10, Max: 2}, Network: DefaultNetwork, Core: roam.Config{}}
		change(&c)
		if err := c.Check(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestFindPolicy(t *testing.T) {
	for name, want := range map[string]string{"random": "reference", "reference": "reference", "rove": "rove", "aperture": "aperture"} {
		p, err := FindPolicy(name)
		if err != nil || p.Name != want {
			t.Errorf("%s: got %s, %v", name, p.Name, err)
		}
	}
	const want = `simulate: policy must be one of rove, reference, subset, aperture, rocksteadier, roundrobin, twochoices, got "fly"`
	if _, err := FindPolicy("fly"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
