package simulate

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// The tables and the picture of docs/roaming.md are what the simulator says.
// The picture is checked each time and the tables against a few seeds; with
// ROVER_SIMULATE=long they are made again, which takes minutes.

//go:generate env ROVER_SIMULATE=long go test . -run ^TestDocs -timeout 30m -update

var update = flag.Bool("update", false, "write docs/roaming.md's tables and picture anew")

const (
	page    = "../../docs/roaming.md"
	picture = "../../docs/pictures/roaming/add.svg"
)

// fleets are the shapes of the first table, with the seeds of the page and
// those of each test.
var fleets = []struct {
	name        string
	long, short int
	events      []string
}{
	{"20x10x10", 500, 200, all},
	{"200x10x1", 500, 8, all},
	{"5x200x20", 500, 200, all},
	{"200x50x10", 300, 6, all},
	{"1000x10x4", 200, 2, all},
	{"1000x100x4", 200, 3, all},
	{"10000x1000x4", 20, 0, []string{"cold", "add", "kill", "restart"}},
}

var all = []string{"cold", "add", "kill", "restart", "replace", "add=1"}

// networks are the conditions of the second table.
var networks = []struct {
	name   string
	change func(*Config)
}{
	{"RTT 1 ms", func(c *Config) { c.Network.RTT = 0.001 }},
	{"RTT 50 ms", func(c *Config) { c.Network.RTT = 0.05 }},
	{"RTT 200 ms", func(c *Config) { c.Network.RTT = 0.2 }},
	{"5 % of the SYNs lost", func(c *Config) { c.Network.Loss = 0.05 }},
	{"5 % of the clients with 20 times the RTT", func(c *Config) { c.Network.SlowClients = 0.05 }},
	{"10 % of the servers 0.2 late", func(c *Config) { c.Network.SlowServers = 0.1 }},
	{"all clocks together", func(c *Config) { c.Network.Together = true }},
	{"clocks that differ by 10 %", func(c *Config) { c.Network.Drift = 0.1 }},
	{"set changes spread over 3", func(c *Config) { c.Network.Late = 3 }},
	{"Max from 1 to 9", func(c *Config) { c.Fleet.Mixed = true }},
}

func result(t *testing.T, fleet, event string, seeds int, change ...func(*Config)) Result {
	t.Helper()
	f, err := ParseFleet(fleet)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ParseEvent(event)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Fleet: f, Event: e, Network: DefaultNetwork, Policy: Rove, Seeds: seeds, Seed: 1}
	for _, do := range change {
		do(&c)
	}
	r, err := Run(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func short(s Spread) string { return strings.ReplaceAll(s.String(), " ", "") }

// fleetRow is a row of the first table.
func fleetRow(t *testing.T, at, seeds int, change ...func(*Config)) []string {
	cells := make([]string, 10)
	cells[0] = fleets[at].name
	for _, event := range fleets[at].events {
		r := result(t, fleets[at].name, event, seeds, change...)
		switch event {
		case "cold":
			cells[1] = short(r.Settled)
		case "add":
			cells[2], cells[3], cells[9] = short(r.Settled), fmt.Sprintf("%.2f/%.2f", r.Churn.Median, r.Churn.P95), short(Spread{r.Exact.Median, r.Exact.P95, r.Exact.Worst})
		case "kill":
			cells[4] = short(r.Settled)
		case "restart":
			cells[5], cells[8] = short(r.Settled), fmt.Sprintf("%.3f", r.Steady)
		case "replace":
			cells[6] = short(r.Settled)
		case "add=1":
			cells[7] = short(r.Settled)
		}
	}
	return cells
}

func networkRow(t *testing.T, at, seeds int) []string {
	cells := []string{networks[at].name}
	for _, event := range []string{"add", "kill", "restart"} {
		cells = append(cells, short(result(t, "1000x100x4", event, seeds, networks[at].change).Settled))
	}
	return cells
}

func policyRow(t *testing.T, p Policy, seeds int) []string {
	cells := []string{p.Name}
	rest, churn := 0.0, ""
	for _, event := range []string{"cold", "add", "kill", "restart"} {
		r := result(t, "1000x100x4", event, seeds, func(c *Config) { c.Policy = p })
		cells = append(cells, short(r.Settled))
		if event == "add" {
			churn = fmt.Sprintf("%.2f", r.Churn.Median)
		}
		rest = r.Steady
	}
	needs := p.Needs()
	if needs == "" {
		needs = "nothing"
	}
	return append(cells, churn, fmt.Sprintf("%.3f", rest), needs)
}

func rows(heads []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(heads)
	line(strings.Split(strings.Repeat("---,", len(heads)-1)+"---", ","))
	for _, r := range rows {
		line(r)
	}
	return b.String()
}

// section is what stands between two marks of the page.
func section(t *testing.T, text, name string) (before, inner, after string) {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n\n", "\n<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(text, begin)
	inner, after, ends := strings.Cut(rest, end)
	if !found || !ends {
		t.Fatalf("%s has no section %q", page, name)
	}
	return before + begin, inner, end + after
}

func TestDocsTablesLong(t *testing.T) {
	if os.Getenv("ROVER_SIMULATE") != "long" {
		t.Skip("takes minutes; set ROVER_SIMULATE=long")
	}
	same(t)
	var fleet, network, policy [][]string
	for at := range fleets {
		fleet = append(fleet, fleetRow(t, at, fleets[at].long))
	}
	for at := range networks {
		network = append(network, networkRow(t, at, 100))
	}
	for _, p := range Policies() {
		policy = append(policy, policyRow(t, p, 20))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for name, table := range map[string]string{
		"fleets":   rows([]string{"fleet", "cold", "+20 %", "moved", "−20 %", "restart", "replaced", "+1 server", "dials at rest", "±1 after +20 %"}, fleet),
		"networks": rows([]string{"condition", "+20 %", "−20 %", "restart"}, network),
		"policies": rows([]string{"policy", "cold", "+20 %", "−20 %", "restart", "moved, +20 %", "dials at rest", "needs"}, policy),
	} {
		before, _, after := section(t, got, name)
		got = before + table + after
	}
	if got == string(text) {
		return
	}
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("the tables of %s are out of date: run go generate", page)
}

// A few seeds come to what the page says, within a quarter of an interval or a
// tenth: the median; where there are enough of them, 95 of 100 and exactly even too.
func TestDocsTables(t *testing.T) {
	table := readTable(t, "fleets")
	for at, f := range fleets {
		if f.short == 0 {
			continue
		}
		columns, part := 8, 1 // exactly even needs time, too
		if f.short >= 200 {
			columns, part = 9, 2
		}
		got, want := fleetRow(t, at, f.short, func(c *Config) { c.Horizon = 12 }), table[f.name]
		for i := 1; i <= columns; i++ {
			a, b := numbers(t, got[i]), numbers(t, want[i])
			for k := range min(part, len(a)) {
				if !near(a[k], b[k], i != 3 && i != 8) {
					t.Errorf("%s, column %d: %s with few seeds, the page has %s", f.name, i, got[i], want[i])
				}
			}
		}
	}
}

// The page has what the policy was designed to do, within a quarter of an interval
// or a tenth: the median and 95 of 100, exactly even included.
func TestDocsMeetTheDesign(t *testing.T) {
	for name, designed := range map[string]map[string][]string{"fleets": designedFleets, "networks": designedNetworks} {
		table := readTable(t, name)
		equal(t, name, len(table), len(designed))
		for row, cells := range designed {
			for i, cell := range cells {
				if cell == "" {
					continue
				}
				share := name == "fleets" && (i == 2 || i == 7)
				got := numbers(t, table[row][i+1])
				for j, want := range numbers(t, cell) {
					if !near(got[j], want, !share) {
						t.Errorf("%s, %s, column %d: the page has %s, the design %s", name, row, i+1, table[row][i+1], cell)
					}
				}
			}
		}
	}
}

// The goals of the design hold in each row.
func TestDocsMeetTheGoals(t *testing.T) {
	for name, cells := range readTable(t, "fleets") {
		for i, most := range map[int]float64{2: 3, 3: 0.30, 4: 1, 5: 4, 8: 0.0625} {
			if got := numbers(t, cells[i])[0]; got > most {
				t.Errorf("%s, column %d: %v, want at most %v", name, i, got, most)
			}
		}
	}
}

func near(a, b float64, times bool) bool {
	slack := 0.1 * b
	if times {
		slack = max(slack, 0.25)
	} else {
		slack = max(slack, 0.02) // of the moves; a tenth of the dials is less
	}
	return math.Abs(a-b) <= slack+1e-9
}

// readTable has the rows of one of the page's tables by their names.
func readTable(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, inner, _ := section(t, string(text), name)
	table := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(inner), "\n")[2:] {
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		table[cells[0]] = cells
	}
	return table
}

// numbers reads a cell, such as 0.75/1.5/never.
func numbers(t *testing.T, cell string) (all []float64) {
	t.Helper()
	for part := range strings.SplitSeq(cell, "/") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if part == "never" {
			v, err = math.Inf(1), nil
		}
		if err != nil {
			t.Fatalf("%q: %v", cell, err)
		}
		all = append(all, v)
	}
	return all
}

// same skips where a processor adds and multiplies in one step, which gives
// other numbers in the last place, and then others altogether.
func same(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skipf("%s may round in another way than the machine that made the page", runtime.GOARCH)
	}
}

func TestDocsPicture(t *testing.T) {
	same(t)
	reference, err := FindPolicy("reference")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	err = Plot(&got, result(t, "300x40x8", "add=8", 20),
		result(t, "300x40x8", "add=8", 20, func(c *Config) { c.Policy = reference }))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(picture), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(picture, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is out of date: run go generate", picture)
	}
}
