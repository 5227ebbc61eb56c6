package main

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/callosum-go/rover"
)

// A tally counts per server what a command has seen, for its summary.
type tally struct {
	mu   sync.Mutex
	rows []*row // in the servers' order
	byID map[string]*row

	connections, unreachable, errors int
}

// A row is the counts of one server.
type row struct {
	server   named
	attempts int
	lowest   int // slot seen; -1: none
	highest  int
	trouble  string // why the latest attempt failed; "": it did not
}

// newTally counts for servers, whose ids differ.
func newTally(servers serverList) *tally {
	t := &tally{byID: make(map[string]*row)}
	for _, n := range servers {
		r := &row{server: n, lowest: -1, highest: -1}
		t.rows, t.byID[n.id] = append(t.rows, r), r
	}
	return t
}

// outcome adds one.
func (t *tally) outcome(o rover.Outcome) {
	if o.Err == nil {
		t.connection(o.ID, o.Slot)
	} else {
		t.failure(o.Err)
	}
}

func (t *tally) connection(id string, slot int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	r := t.byID[id]
	if r.attempts++; r.lowest < 0 || slot < r.lowest {
		r.lowest = slot
	}
	r.highest, r.trouble = max(r.highest, slot), ""
}

// failure adds an error. One that is about no server is in no row.
func (t *tally) failure(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := err.(type) {
	case *rover.UnreachableError:
		t.unreachable++
		t.byID[e.ID].fail(e)
	case *rover.ProtocolError:
		t.errors++
		t.byID[e.ID].fail(e)
	case *rover.LocalError:
		t.errors++
		t.byID[e.ID].fail(e)
	default:
		t.errors++
	}
}

func (r *row) fail(err error) { r.attempts, r.trouble = r.attempts+1, reason(err) }

// summary is the end of a command that roved: the counts of each server, with
// the connections kept there, and the sum.
func (p *printer) summary(t *tally, kept map[rover.Server]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := 0
	for _, n := range kept {
		sum += n
	}
	if p.json {
		for _, o := range t.objects(kept) {
			p.print(event{name: "server", fields: o})
		}
		p.print(t.object(kept, sum))
		return
	}
	p.text(fmt.Sprintf("\n%s\n%d connections, %d kept to the end; %d unreachable; %d errors\n",
		t.table(kept, p.paint), t.connections, sum, t.unreachable, t.errors))
}

// barWidth is the room that a table of short ids leaves.
const barWidth = 24

func (t *tally) table(kept map[rover.Server]int, paint func(colour, string) string) string {
	rows := [][]string{{"server", "address", "attempts", "slots seen", "kept", ""}}
	most, addressed := 1, false
	for _, r := range t.rows {
		most = max(most, kept[r.server.Server])
	}
	for _, r := range t.rows {
		n := kept[r.server.Server]
		held, last := strconv.Itoa(n), paint(cyan, bar(n, most, barWidth))
		if r.trouble != "" && n == 0 {
			held, last = "-", paint(yellow, clip(r.trouble, barWidth))
		}
		address := r.server.Addr()
		if address == r.server.id {
			address = ""
		}
		addressed = addressed || address != ""
		rows = append(rows, []string{r.server.id, address, strconv.Itoa(r.attempts), r.slots(), held, last})
	}
	if !addressed {
		rows[0][1] = ""
	}
	return align(rows, 2, 4)
}

// slots is the range of the slots seen.
func (r *row) slots() string {
	switch {
	case r.lowest < 0:
		return "-"
	case r.lowest == r.highest:
		return strconv.Itoa(r.lowest)
	default:
		return fmt.Sprintf("%d-%d", r.lowest, r.highest)
	}
}

// A rowObject is a row of the summary. As an event of its own it has the server's
// id where every other has it.
type rowObject struct {
	serverFields
	Attempts int    `json:"attempts"`
	Slots    []int  `json:"slots"` // lowest and highest seen, or nothing
	Kept     int    `json:"kept"`
	Cause    string `json:"cause,omitempty"` // why the latest attempt failed
}

func (t *tally) objects(kept map[rover.Server]int) []rowObject {
	all := make([]rowObject, len(t.rows))
	for i, r := range t.rows {
		all[i] = rowObject{fieldsOf(r.server.id, r.server.Server), r.attempts, []int{}, kept[r.server.Server], r.trouble}
		if r.lowest >= 0 {
			all[i].Slots = []int{r.lowest, r.highest}
		}
	}
	return all
}

func (t *tally) object(kept map[rover.Server]int, sum int) event {
	return event{name: "summary", fields: struct {
		Connections int         `json:"connections"`
		Unreachable int         `json:"unreachable"`
		Errors      int         `json:"errors"`
		Kept        int         `json:"kept"`
		Servers     []rowObject `json:"servers"`
	}{t.connections, t.unreachable, t.errors, sum, t.objects(kept)}}
}
