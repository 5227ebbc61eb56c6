//go:build !plan9

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A tally counts what has happened, by a name whose first word is the kind.
type tally struct {
	mu     *sync.Mutex
	counts map[string]int
}

func newTally() tally { return tally{new(sync.Mutex), make(map[string]int)} }

func (t tally) count(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[name]++
}

// String is a line for each kind; of the faults only how many there were, as they are many.
func (t tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := make(map[string][]string)
	faults, servers := 0, 0
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		kind, what, _ := strings.Cut(name, " ")
		if kind == "fault" {
			faults++
			servers += t.counts[name]
			continue
		}
		lines[kind] = append(lines[kind], fmt.Sprintf("%d %s", t.counts[name], what))
	}
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&b, "%s: %s\n", kind, strings.Join(lines[kind], ", "))
	}
	fmt.Fprintf(&b, "%d of %d faults in %d servers\n", faults, len(roving()), servers)
	return b.String()
}
