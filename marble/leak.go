package marble

import (
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// goroutines are the stacks of some goroutines, by their number.
type goroutines map[string]string

// header is the first line of a stack within a bubble: number, state, bubble.
var header = regexp.MustCompile(`^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[(.*), synctest bubble (\d+)\]:`)

// goroutinesOfBubble are the goroutines in the caller's bubble, the caller included. Only
// stack traces show a goroutine's bubble.
func goroutinesOfBubble() goroutines {
	stacks := strings.Split(allStacks(), "\n\n")
	own := header.FindStringSubmatch(stacks[0]) // the caller comes first
	if own == nil {
		return nil
	}
	all := goroutines{}
	for _, stack := range stacks {
		if h := header.FindStringSubmatch(stack); h != nil && h[3] == own[3] {
			all[h[1]] = stack
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

func (g goroutines) without(others goroutines) goroutines {
	left := goroutines{}
	for number, stack := range g {
		if _, known := others[number]; !known {
			left[number] = stack
		}
	}
	return left
}

// String is where each goroutine waits and what started it. Those that are alike are
// counted.
func (g goroutines) String() string {
	alike := map[string]int{}
	for _, stack := range g {
		alike[summary(stack)]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "marble: goroutines left in the bubble: %d", len(g))
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
