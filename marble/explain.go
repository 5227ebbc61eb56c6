package marble

import (
	"fmt"
	"slices"
	"strings"
)

// explanation describes how what was got differs from what was wanted.
type explanation struct {
	equality
	anyOrder bool
	values   Values // that the test gives to letters
}

// of is empty if both are the same.
//
//	want  a---c-|
//	got   a-b-c-|
//	        ^
//
//	  time  want  got
//	  0s    a     a
//	≠ 2ms         b
//	  4ms   c     c
//	  6ms   |     |
//
//	a = 3
//	b = 12   (has no letter in the test)
//	c = 7
func (x explanation) of(want, got Diagram) string {
	if x.alike(want.Events, got.Events) {
		return ""
	}
	all := x.compare(want.Events, got.Events, x.anyOrder)
	first := slices.IndexFunc(all, func(c comparison) bool { return !c.same })
	if first < 0 {
		return ""
	}
	legend := newLegend(x.equality, want.Events, x.values)
	want.Events, got.Events = nil, nil
	for i := range all {
		c := &all[i]
		x.name(c, legend)
		want.Events = append(want.Events, c.want...)
		got.Events = append(got.Events, c.got...)
	}
	parts := [][]string{
		x.drawn(want, got, all[first]),
		table(all),
		slices.Concat(legend.lines(slices.Concat(want.Events, got.Events)), failures(all)),
		x.parts(all),
	}
	var b strings.Builder
	for _, part := range parts {
		if len(part) > 0 {
			b.WriteString("\n    " + strings.Join(part, "\n    ") + "\n")
		}
	}
	return b.String()
}

// name gives each value its letter. A value that was wanted keeps the letter it has there.
func (x explanation) name(c *comparison, l *legend) {
	c.want, c.got = slices.Clone(c.want), slices.Clone(c.got)
	for i, e := range c.want {
		if e.Letter == "" {
			c.want[i].Letter = l.letter(e.Value)
		}
	}
	for i, e := range c.got {
		switch {
		case e.Letter != "":
		case i < len(c.want) && x.events(c.want[i], e):
			c.got[i].Letter = c.want[i].Letter
		default:
			c.got[i].Letter = l.letter(e.Value)
		}
	}
}

// parts says, for values that came instead of others, in which of their parts they differ.
func (x explanation) parts(all []comparison) (lines []string) {
	seen := map[string]bool{}
	for _, c := range all {
		for i := range min(len(c.want), len(c.got)) {
			want, got := c.want[i], c.got[i]
			pair := want.Letter + " and " + got.Letter
			if want.Kind != Next || got.Kind != Next || seen[pair] || x.events(want, got) {
				continue
			}
			seen[pair] = true
			if parts := x.differences(want.Value, got.Value); len(parts) > 0 {
				lines = append(lines, pair+" differ in")
				lines = append(lines, parts[:min(len(parts), partsShown)]...)
			}
			if len(lines) >= partsShown {
				return append(lines, "…")
			}
		}
	}
	return lines
}

// drawn is both diagrams, with a caret under the first event that differs.
func (x explanation) drawn(want, got Diagram, first comparison) []string {
	lines, columns := align(want, got)
	caret := columns[first.at]
	if n := x.sameUpTo(first.want, first.got); n > 0 {
		caret += 1 + columnsOf(letters(first.want[:n])) // after the parenthesis
	}
	lines = append(lines, strings.Repeat(" ", caret)+"^")
	return labelled([]string{"want", "got", ""}, clip(lines, caret))
}

// How much of a long diagram is shown.
const (
	columnsShown = 100
	rowsShown    = 20
	around       = 2 // rows that are as wanted, before and after one that is not
	partsShown   = 20
)

// clip cuts long lines to the part around a column.
func clip(lines []string, around int) []string {
	from := max(0, around-columnsShown/2)
	clipped := make([]string, len(lines))
	for i, line := range lines {
		column := 0
		for _, c := range characters(line) {
			if column >= from && column < from+columnsShown {
				clipped[i] += c
			}
			column += columnsOf(c)
		}
		isCaret := i == len(lines)-1
		switch {
		case isCaret && from > 0:
			clipped[i] = "  " + clipped[i]
		case from > 0:
			clipped[i] = "… " + clipped[i]
		}
		if column > from+columnsShown {
			clipped[i] += " …"
		}
	}
	return clipped
}

// table has a row for each instant that differs, and the rows around it.
func table(all []comparison) []string {
	rows := [][]string{{"", "time", "want", "got"}}
	var cut []int // of which rows are lines like "… 5 as wanted"
	shown := 0    // instants that have a row or are counted in one
	for i, c := range all {
		if !near(all, i) {
			continue
		}
		if len(rows) > rowsShown {
			break
		}
		if i > shown {
			cut = append(cut, len(rows))
			rows = append(rows, []string{fmt.Sprintf("  … %d as wanted", i-shown)})
		}
		mark := ""
		if !c.same {
			mark = "≠"
		}
		rows = append(rows, []string{mark, c.at.String(), letters(c.want), letters(c.got)})
		shown = i + 1
	}
	lines := columned(rows, cut)
	if n := len(all) - shown; n > 0 {
		wrong := 0
		for _, c := range all[shown:] {
			if !c.same {
				wrong++
			}
		}
		if wrong == 0 {
			lines = append(lines, fmt.Sprintf("  … %d as wanted", n))
		} else {
			lines = append(lines, fmt.Sprintf("  … and %d more, %d of them not as wanted", n, wrong))
		}
	}
	return lines
}

// near reports whether a row is one that differs, or around one.
func near(all []comparison, i int) bool {
	return slices.ContainsFunc(all[max(0, i-around):min(len(all), i+around+1)], func(c comparison) bool { return !c.same })
}

// columned lines up the cells of rows, but for those rows that are cut.
func columned(rows [][]string, cut []int) []string {
	var widths [4]int
	for i, row := range rows {
		if !slices.Contains(cut, i) {
			for j, cell := range row {
				widths[j] = max(widths[j], columnsOf(cell))
			}
		}
	}
	var lines []string
	for i, row := range rows {
		line := ""
		for j, cell := range row {
			if slices.Contains(cut, i) {
				line = cell
				break
			}
			line += cell + strings.Repeat(" ", widths[j]-columnsOf(cell)+min(2, j+1))
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// failures has a line for each error that a # stands for.
func failures(all []comparison) []string {
	var lines []string
	for _, c := range all {
		want, got := failure(c.want), failure(c.got)
		switch {
		case want == got && want != "" && want != show(ErrFailed):
			lines = append(lines, "# = "+want)
		case want != got && want != "":
			lines = append(lines, fmt.Sprintf("# = %s   (want, at %v)", want, c.at))
		}
		if want != got && got != "" {
			lines = append(lines, fmt.Sprintf("# = %s   (got, at %v)", got, c.at))
		}
	}
	return lines
}

func failure(events []Event) string {
	for _, e := range events {
		if e.Kind == Failed {
			return show(e.Value)
		}
	}
	return ""
}

// labelled writes a name before each line.
func labelled(names, lines []string) []string {
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = strings.TrimRight(fmt.Sprintf("%-6s%s", names[i], line), " ")
	}
	return all
}
