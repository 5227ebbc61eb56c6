package marble

import (
	"fmt"
	"slices"
	"strings"
)

// explain says what is different between what was wanted and what was got; nothing if
// nothing is.
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
	all := moments(want.Events, got.Events, anyOrder)
	first := slices.IndexFunc(all, func(m moment) bool { return !m.same })
	if first < 0 {
		return ""
	}
	legend := newLegend(want.Events, values)
	want.Events, got.Events = nil, nil
	for i := range all {
		m := &all[i]
		m.name(legend)
		want.Events = append(want.Events, m.want...)
		got.Events = append(got.Events, m.got...)
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

// name gives each value its letter: the one that was wanted, where it was.
func (m *moment) name(l *legend) {
	m.want, m.got = slices.Clone(m.want), slices.Clone(m.got)
	for i, e := range m.want {
		if e.Letter == "" {
			m.want[i].Letter = l.letter(e.Value)
		}
	}
	for i, e := range m.got {
		switch {
		case e.Letter != "":
		case i < len(m.want) && same(m.want[i], e):
			m.got[i].Letter = m.want[i].Letter
		default:
			m.got[i].Letter = l.letter(e.Value)
		}
	}
}

// drawn is the two diagrams, and a caret under the first event that differs.
func drawn(want, got Diagram, first moment) []string {
	lines, columns := align(want, got)
	caret := columns[first.at]
	if n := sameUpTo(first.want, first.got); n > 0 {
		caret += 1 + columnsOf(letters(first.want[:n])) // behind the parenthesis
	}
	lines = append(lines, strings.Repeat(" ", caret)+"^")
	return labelled([]string{"want", "got", ""}, clip(lines, caret))
}

// What of a long diagram is shown.
const (
	columnsShown = 100
	rowsShown    = 20
	before       = 4 // rows before the first difference
)

// clip keeps of long lines what is around a column.
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
func table(all []moment, first int) []string {
	from := max(0, first-before)
	to := min(len(all), from+rowsShown)
	rows := [][4]string{{"", "time", "want", "got"}}
	for _, m := range all[from:to] {
		mark := ""
		if !m.same {
			mark = "≠"
		}
		rows = append(rows, [4]string{mark, m.at.String(), letters(m.want), letters(m.got)})
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

// failures says which errors a # is.
func failures(all []moment) []string {
	var lines []string
	for _, m := range all {
		want, got := failure(m.want), failure(m.got)
		switch {
		case want == got && want != "" && want != show(ErrFailed):
			lines = append(lines, "# = "+want)
		case want != got && want != "":
			lines = append(lines, fmt.Sprintf("# = %s   (want, at %v)", want, m.at))
		}
		if want != got && got != "" {
			lines = append(lines, fmt.Sprintf("# = %s   (got, at %v)", got, m.at))
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
