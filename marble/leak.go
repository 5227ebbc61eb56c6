package marble

import (
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// A goroutine that is left is found by the bubble, which does not end while it has one: it
// panics. So stacks are read, and that is what costs, where a test has failed and nowhere
// else.

// header is the first line of a stack within a bubble: number, state, bubble.
var header = regexp.MustCompile(`^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[(.*), synctest bubble (\d+)\]:`)

// bubble is the number of the caller's bubble, which only a stack trace shows.
func bubble() string {
	buffer := make([]byte, 128)
	h := header.FindSubmatch(buffer[:runtime.Stack(buffer, false)])
	if h == nil {
		return ""
	}
	return string(h[3])
}

// goroutines are the stacks of some goroutines.
type goroutines []string

// goroutinesOf are those in a bubble, but for the bubble's own root.
func goroutinesOf(bubble string) (all goroutines) {
	for _, stack := range strings.Split(allStacks(), "\n\n") {
		h := header.FindStringSubmatch(stack)
		if h != nil && h[3] == bubble && !strings.HasPrefix(h[2], "running") && !strings.HasPrefix(h[2], "synctest.Run") {
			all = append(all, stack)
		}
	}
	return all
}

func allStacks() string {
	for size := 1 << 16; ; size *= 2 {
		buffer := make([]byte, size)
		if n := runtime.Stack(buffer, true); n < size {
			return string(buffer[:n])
		}
	}
}

// String is where each goroutine waits and what started it. Those that are alike are
// counted.
func (g goroutines) String() string {
	alike := map[string]int{}
	for _, stack := range g {
		alike[summary(stack)]++
	}
	var b strings.Builder
	fmt.Fprint(&b, len(g))
	for _, what := range slices.Sorted(maps.Keys(alike)) {
		fmt.Fprintf(&b, "\n    %d × %s", alike[what], what)
	}
	return b.String()
}

// summary is a goroutine's state, its first frame outside the packages that wait, and its
// creator.
func summary(stack string) string {
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	state := header.FindStringSubmatch(lines[0])[2]
	state = strings.TrimSuffix(state, " (durable)")
	where, creator := "", ""
	for i := 1; i+1 < len(lines); i += 2 {
		function, place := lines[i], strings.TrimSpace(lines[i+1])
		place, _, _ = strings.Cut(place, " +0x")
		if by, ok := strings.CutPrefix(function, "created by "); ok {
			by, _, _ = strings.Cut(by, " in goroutine")
			creator = fmt.Sprintf("\n        started by %s\n            %s", by, place)
			continue
		}
		if where == "" && !waiting.MatchString(function) {
			where = fmt.Sprintf(" in %s\n            %s", arguments.ReplaceAllString(function, ""), place)
		}
	}
	return state + where + creator
}

var (
	waiting   = regexp.MustCompile(`^(runtime|sync|time|internal/[a-z/]+)\.`)
	arguments = regexp.MustCompile(`\([^()]*\)$`)
)
