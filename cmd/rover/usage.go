package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// A usageError says what is wrong with the flags, and what would be right.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

var (
	undefined = regexp.MustCompile(`^flag provided but not defined: -+(.*)$`)
	forFlagOf = regexp.MustCompile(` for flag -([a-z][a-z-]+)`)
)

// wrongFlag says of an error of the flags' parser what would be right, and names
// flags as help does.
func wrongFlag(c *cli.Command, err error) error {
	see := fmt.Sprintf("see %q", c.FullName()+" --help")
	if match := undefined.FindStringSubmatch(err.Error()); match != nil {
		name, _, _ := strings.Cut(match[1], "=")
		if like := closest(name, flagNames(c)); like != "" {
			return usagef("there is no flag --%s; did you mean --%s? %s", name, like, see)
		}
		return usagef("there is no flag --%s; %s", name, see)
	}
	return usagef("%s; %s", forFlagOf.ReplaceAllString(err.Error(), " for --$1"), see)
}

func flagNames(c *cli.Command) (names []string) {
	for _, f := range c.Flags {
		names = append(names, f.Names()...)
	}
	return names
}

func noArguments(_ context.Context, c *cli.Command) error {
	switch {
	case c.NArg() == 0:
		return nil
	case c.Name == "help" || c.Root() != c && c.Name == "h":
		if topic := c.Args().First(); c.Root().Command(topic) == nil {
			return noCommand(c.Root(), topic)
		}
		return nil
	case c == c.Root():
		return noCommand(c, c.Args().First())
	default:
		return usagef("%s takes flags only, got %q; see %q", c.Name, c.Args().First(), c.FullName()+" --help")
	}
}

func noCommand(root *cli.Command, name string) error {
	var names []string
	for _, c := range root.Commands {
		if c.Name != "help" && !c.Hidden {
			names = append(names, c.Name)
		}
	}
	if like := closest(name, names); like != "" {
		return usagef("there is no command %q; did you mean %s?", name, like)
	}
	last := len(names) - 1
	return usagef("there is no command %q; want %s or %s", name, strings.Join(names[:last], ", "), names[last])
}

// closest is the name that was meant, if one is like it: with at most a third of its
// letters wrong, missing, too many or swapped.
func closest(name string, names []string) (like string) {
	best := max(len(name)/3, 1) + 1
	for _, n := range names {
		if len(n) > 1 {
			if d := distance(name, n); d < best {
				best, like = d, n
			}
		}
	}
	return like
}

// distance is how many letters must be changed, added, left out or swapped with
// the next to make b of a (optimal string alignment).
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last = last, row
		row = slices.Repeat([]int{i + 1}, len(b)+1)
		for j := range len(b) {
			changed := last[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
