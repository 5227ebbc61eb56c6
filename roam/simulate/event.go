package simulate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// An Event is what happens to a fleet that has settled. The zero value is the
// cold start.
type Event struct {
	Name string
	n    float64
	part bool // n is a share
}

// An eventKind is what an event's name stands for.
type eventKind struct {
	usage  string
	value  string  // what its number is; "": it has none
	n      float64 // default
	share  bool    // the default is a share; without one a value must not be a share
	before bool    // happens as the fleet starts
	comes  bool    // the server that happen returns has to get its share
	// happen returns the server that it is about, or -1.
	happen func(w *world, e Event) int32
}

var eventKinds = map[string]eventKind{
	"cold":      {usage: "all clients start within an interval", before: true},
	"add":       {usage: "servers are added", value: "servers", n: 0.2, share: true, comes: true, happen: add},
	"kill":      {usage: "servers die and leave the set", value: "servers", n: 0.2, share: true, happen: kill},
	"fail":      {usage: "servers die and stay in the set", value: "servers", n: 0.2, share: true, happen: fail},
	"silence":   {usage: "servers die, stay in the set, and say nothing", value: "servers", n: 0.2, share: true, happen: silence},
	"restart":   {usage: "a server dies and is back after so many intervals", value: "intervals", n: 5, comes: true, happen: restart},
	"replace":   {usage: "servers are replaced, one by one, two intervals apart", value: "servers", n: 1, share: true, comes: true, happen: replace},
	"join":      {usage: "clients join", value: "clients", n: 0.2, share: true, happen: join},
	"leave":     {usage: "clients leave", value: "clients", n: 0.5, share: true, happen: leave},
	"lie":       {usage: "a server says 0 from now on", happen: lie},
	"weights":   {usage: "cold, and every other server has this weight", value: "units of weight", n: 2, before: true, happen: weigh},
	"slowstart": {usage: "a server is added whose weight grows over so many intervals", value: "intervals", n: 10, comes: true, happen: slowstart},
	"drain":     {usage: "a server is drained over so many intervals", value: "intervals", n: 5, happen: drain},
}

// EventUsage is one line an event: its form and what it does.
func EventUsage() (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(eventKinds)) {
		k := eventKinds[name]
		lines = append(lines, fmt.Sprintf("%-22s %s", Event{Name: name, n: k.n, part: k.share && k.n < 1}, k.usage))
	}
	return lines
}

// ParseEvent reads NAME or NAME=N, where N is a number or, of servers and
// clients, a share such as 20%.
func ParseEvent(s string) (Event, error) {
	name, value, given := strings.Cut(s, "=")
	k, known := eventKinds[name]
	if !known {
		return Event{}, fmt.Errorf("simulate: event must be one of %s, got %q",
			strings.Join(slices.Sorted(maps.Keys(eventKinds)), ", "), name)
	}
	e := Event{Name: name, n: k.n, part: k.share && k.n < 1}
	if !given {
		return e, nil
	}
	if k.value == "" {
		return Event{}, fmt.Errorf("simulate: event %s takes no number, got %q", name, s)
	}
	digits, share := strings.CutSuffix(value, "%")
	n, err := strconv.ParseFloat(digits, 64)
	wrong := err != nil || !(n > 0) || n > 1e6 || share && (!k.share || n > 1000) || k.value == "intervals" && n > 10_000 || k.share && !share && n != math.Trunc(n)
	if wrong {
		example := fmt.Sprintf("%s=3", name)
		if k.share {
			example += fmt.Sprintf(" or %s=20%%", name)
		}
		return Event{}, fmt.Errorf("simulate: event %s must have a number of %s above 0, such as %s, got %q", name, k.value, example, s)
	}
	e.n, e.part = n, share
	if share {
		e.n = n / 100
	}
	return e, nil
}

// String is the event as ParseEvent reads it.
func (e Event) String() string {
	k := eventKinds[e.Name]
	switch {
	case k.value == "":
		return e.kindName()
	case e.part:
		return fmt.Sprintf("%s=%g%%", e.Name, math.Round(e.n*1e6)/1e4)
	default:
		return fmt.Sprintf("%s=%g", e.Name, e.n)
	}
}

// MarshalText is String, for JSON.
func (e Event) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

func (e Event) kindName() string {
	if e.Name == "" {
		return "cold"
	}
	return e.Name
}

// Cold is true to an event that is the start of a fleet: there is no time at
// rest before it.
func (e Event) Cold() bool { return e.kind().before }

func (e Event) kind() eventKind { return eventKinds[e.kindName()] }

// of is how many of all there are.
func (e Event) of(all int) int {
	if e.part {
		return int(math.Ceil(float64(all)*e.n - 1e-9))
	}
	return int(e.n)
}

// check says what cannot happen to a fleet.
func (e Event) check(f Fleet) error {
	most, what := math.MaxInt, ""
	switch e.kindName() {
	case "kill", "fail", "silence":
		most, what = f.Servers-1, "servers"
	case "replace":
		most, what = f.Servers, "servers"
	case "leave":
		most, what = f.Clients-1, "clients"
	case "add":
		most, what = mostServers, "servers"
	case "join":
		most, what = mostClients, "clients"
	}
	all := f.Servers
	if what == "clients" {
		all = f.Clients
	}
	if what != "" && e.of(all) > most {
		return fmt.Errorf("simulate: event %v must be of at most %d %s in a fleet of %v, got %d", e.Name, most, what, f, e.of(all))
	}
	return nil
}

// first are the first servers of the set.
func first(w *world, e Event) []int32 { return slices.Clone(w.listed[:e.of(len(w.listed))]) }

func add(w *world, e Event) int32 {
	var added []int32
	for range e.of(len(w.listed)) {
		added = append(added, w.newServer())
	}
	w.change(added, nil)
	return added[0]
}

func kill(w *world, e Event) int32 {
	dead := first(w, e)
	w.change(nil, dead)
	for _, id := range dead {
		w.kill(id)
	}
	return -1
}

func fail(w *world, e Event) int32 {
	for _, id := range first(w, e) {
		w.kill(id)
	}
	return -1
}

func silence(w *world, e Event) int32 {
	for _, id := range first(w, e) {
		w.servers[id].silent = true
		w.kill(id)
	}
	return -1
}

func restart(w *world, e Event) int32 {
	id := w.listed[0]
	w.kill(id)
	w.run(w.now + e.n + w.random.Float64())
	w.revive(id)
	return id
}

func replace(w *world, e Event) int32 {
	var id int32
	for i, old := range first(w, e) {
		if i > 0 {
			w.run(w.now + 2)
		}
		id = w.newServer()
		w.change([]int32{id}, []int32{old})
		w.kill(old)
	}
	return id
}

func join(w *world, e Event) int32 {
	for range e.of(len(w.clients)) {
		w.newClient()
	}
	w.renumber()
	return -1
}

func leave(w *world, e Event) int32 {
	n := e.of(len(w.clients))
	for _, at := range w.random.Perm(len(w.clients))[:n] {
		w.leave(w.clients[at])
	}
	w.renumber()
	return -1
}

func lie(w *world, _ Event) int32 {
	w.servers[w.listed[0]].lies = true
	return w.listed[0]
}

func weigh(w *world, e Event) int32 {
	for i, id := range w.listed {
		if i%2 == 0 {
			w.servers[id].weight = e.n
		}
	}
	return -1
}

func slowstart(w *world, e Event) int32 {
	id := w.newServer()
	w.servers[id].slow = e.n
	w.change([]int32{id}, nil)
	return id
}

func drain(w *world, e Event) int32 {
	w.drain(w.listed[0], e.n)
	return w.listed[0]
}
