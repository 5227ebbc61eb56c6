package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// The same seeds have the same result, in whatever order the cores took them;
// others have another.
func TestDeterministic(t *testing.T) {
	text := func(seed uint64) string {
		b, err := json.Marshal(result(t, "60x10x4", "add", 6, func(c *Config) { c.Seed, c.Horizon = seed, 20 }))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := text(1)
	equal(t, "again", text(1), first)
	if text(100) == first {
		t.Error("other seeds have the same result")
	}
}

func TestRunReports(t *testing.T) {
	var done []int
	c := Config{Fleet: Fleet{Clients: 10, Servers: 4, Max: 2}, Network: DefaultNetwork, Seeds: 5, Horizon: 5}
	r, err := Run(t.Context(), c, func(seeds int) { done = append(done, seeds) })
	if err != nil || len(done) != 5 || done[4] != 5 {
		t.Errorf("reported %v, %v", done, err)
	}
	equal(t, "event", r.Event.String(), "cold")
	equal(t, "policy", r.Policy.Name, "rove")

	c.Seeds = -1
	if _, err := Run(t.Context(), c, nil); err == nil || !strings.HasPrefix(err.Error(), "simulate: seeds must be") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.Seeds = 10_000
	_, err = Run(ctx, c, func(int) { cancel() })
	equal(t, "cancelled", errors.Is(err, context.Canceled), true)
}

// What the policy is for.
func TestEvents(t *testing.T) {
	for _, c := range []struct {
		fleet, event string
		change       func(*Config)
		ok           func(r Result) bool
	}{
		{"200x20x5", "join", nil, func(r Result) bool { return r.Settled.Worst <= 2 }},
		{"200x20x5", "leave=20%", nil, func(r Result) bool { return r.Settled.Worst <= 40 && r.Settled.Median > 4 }},
		{"200x20x5", "leave=20%", func(c *Config) { c.Core.Idle = 2 }, func(r Result) bool { return r.Settled.Worst <= 12 }},
		{"200x20x5", "fail=20%", nil, func(r Result) bool { return r.Settled.Worst <= 5 }},
		{"200x20x5", "restart=60", nil, func(r Result) bool { return r.Filled.Worst <= 4 }},
		{"200x20x5", "replace=5", nil, func(r Result) bool { return r.Settled.Worst <= 2.5 && r.Churn.Worst <= 0.05 }},
		{"200x20x5", "weights=2", nil, func(r Result) bool { return r.Settled.Worst <= 3 }},
		{"200x20x5", "slowstart=5", nil, func(r Result) bool { return r.Filled.Worst <= 20 && r.Watched < 1.05 }},
		{"200x20x5", "drain=5", nil, func(r Result) bool { return r.Settled.Worst <= 7 && r.Watched == 0 && r.Churn.Worst <= 0.02 }},
		{"20x10x10", "lie", func(c *Config) { c.Horizon = 1000 }, func(r Result) bool { return r.Watched < 2.1 }},
		{"20x10x10", "lie", func(c *Config) { c.Horizon = 1000; c.Policy, _ = FindPolicy("reference") }, func(r Result) bool { return r.Watched > 8 }},
		{"200x20x5", "add", func(c *Config) { c.Policy, _ = FindPolicy("twochoices") }, func(r Result) bool { return r.Settled.Worst <= 5 }},
		{"200x20x5", "add", func(c *Config) { c.Policy, _ = FindPolicy("subset") }, func(r Result) bool { return math.IsInf(r.Settled.Median, 1) }},
	} {
		change := c.change
		if change == nil {
			change = func(*Config) {}
		}
		if r := result(t, c.fleet, c.event, 3, change); !c.ok(r) {
			t.Errorf("%s, %s, %s: settled %v, filled %v, moved %v, watched %v", r.Policy.Name, c.fleet, c.event, r.Settled, r.Filled, r.Churn, r.Watched)
		}
	}
}

func TestResultIsJSON(t *testing.T) {
	b, err := json.Marshal(result(t, "20x4x2", "add", 3, func(c *Config) { c.Horizon = 5; c.Policy, _ = FindPolicy("subset") }))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Fleet   struct{ Clients int }
		Event   string
		Policy  string
		Settled struct{ Median, P95, Worst *float64 }
		Churn   struct{ Median *float64 }
		Bands   []Band
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	equal(t, "clients", r.Fleet.Clients, 20)
	equal(t, "event", r.Event, "add=20%")
	equal(t, "policy", r.Policy, "subset")
	equal(t, "never is null", r.Settled.Median, nil)
	equal(t, "churn is not", r.Churn.Median != nil, true)
	equal(t, "bands", len(r.Bands), 22) // one before, one at 0, twenty samples
	equal(t, "before", r.Bands[0].At, -0.25)
}

// A plot is an image that every reader can parse, whatever there is to draw.
func TestPlot(t *testing.T) {
	short := func(c *Config) { c.Horizon = 5 }
	add := result(t, "20x4x2", "add", 3, short)
	cold := result(t, "20x4x2", "cold", 3, short)
	subset := result(t, "20x4x2", "add", 3, short, func(c *Config) { c.Policy, _ = FindPolicy("subset") })
	for want, results := range map[string][]Result{
		"add=20%":       {add},
		"never settled": {add, subset},
		"Cold":          {cold},
	} {
		var b bytes.Buffer
		if err := Plot(&b, results...); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for d := xml.NewDecoder(&b); ; {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if want != "Cold" && !strings.Contains(text, want) || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("no %q, or no number, in\n%s", want, text)
		}
		equal(t, "bands", strings.Count(text, `band" d=`), len(results))
		equal(t, "a line for the event", strings.Contains(text, `class="event"`), want != "Cold")
	}
	for _, n := range []int{0, 3} {
		if err := Plot(io.Discard, make([]Result, n)...); err == nil || !strings.HasPrefix(err.Error(), "simulate: a plot has one or two results") {
			t.Error(err)
		}
	}
}

func TestNice(t *testing.T) {
	for v, want := range map[float64]float64{0.3: 0.5, 1: 1, 1.1: 2, 4: 5, 6: 10, 33: 50, 0.06: 0.1} {
		if got := nice(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("nice(%v): got %v, want %v", v, got, want)
		}
	}
}

// 1000 clients, one event, 20 seeds within seconds.
func BenchmarkThousand(b *testing.B) {
	e, err := ParseEvent("add")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c := Config{Fleet: Fleet{Clients: 1000, Servers: 100, Max: 4}, Network: DefaultNetwork, Event: e, Seeds: 20}
		if _, err := Run(b.Context(), c, nil); err != nil {
			b.Fatal(err)
		}
	}
}
