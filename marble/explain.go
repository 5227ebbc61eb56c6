package marble

import (
	"fmt"
	"slices"
	"strings"
)

// explain describes how what was got differs from what was wanted. It is empty if they are
// the same.
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
func explain(want, got Diagram, values Values, anyOrder bool) string {
	all := compare(want.Events, got.Events, anyOrder)
	first := slices.IndexFunc(all, func(c comparison) bool { return !c.same })
	if first < 0 {
		return ""
	}
	legend := newLegend(want.Events, values)
	want.Events, got.Events = nil, nil
	for i := range all {
		c := &all[i]
		c.name(legend)
		want.Events = append(want.Events, c.want...)
		got.Events = append(got.Events, c.got...)
	}
	parts := [][]string{
		drawn(want, got, all[first]),
		table(all, first),
		slices.Concat(legend.lines(slices.Concat(want.Events, got.Events)), failures(all)),
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
func (c *comparison) name(l *legend) {
	c.want, c.got = slices.Clone(c.want), slices.Clone(c.got)
	for i, e := range c.want {
		if e.Letter == "" {
			c.want[i].Letter = l.letter(e.Value)
		}
	}
	for i, e := range c.got {
		switch {
		case e.Letter != "":
		case i < len(c.want) && same(c.want[i], e):
			c.got[i].Letter = c.want[i].Letter
		default:
			c.got[i].Letter = l.letter(e.Value)
		}
	}
}

// drawn is both diagrams, with a caret under the first event that differs.
func drawn(want, got Diagram, first comparison) []string {
	lines, columns := align(want, got)
	caret := columns[first.at]
	if n := sameUpTo(first.want, first.got); n > 0 {
		caret += 1 + columnsOf(letters(first.want[:n])) // after the parenthesis
	}
	lines = append(lines, strings.Repeat(" ", caret)+"^")
	return labelled([]string{"want", "got", ""}, clip(lines, caret))
}

// How much of a long diagram is shown.
const (
	columnsShown = 100
	rowsShown    = 20
	before       = 4 // rows before the first difference
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

// table has a row for each instant around the first that differs.
func table(all []comparison, first int) []string {
	from := max(0, first-before)
	to := min(len(all), from+rowsShown)
	rows := [][4]string{{"", "time", "want", "got"}}
	for _, c := range all[from:to] {
		mark := ""
		if !c.same {
			mark = "≠"
		}
		rows = append(rows, [4]string{mark, c.at.String(), letters(c.want), letters(c.got)})
	}
	lines := columned(rows)
	if n := len(all) - to; n > 0 {
		lines = append(lines, fmt.Sprintf("  … and %d more", n))
	}
	if from > 0 {
		lines = slices.Insert(lines, 1, fmt.Sprintf("  … %d before, all as wanted", from))
	}
	return lines
}

func columned(rows [][4]string) []string {
	var widths [4]int
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	var lines []string
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-columnsOf(cell)+min(2, i+1))
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
