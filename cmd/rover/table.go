package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// align writes rows as lines with aligned columns, those numbered right to the
// right. A column that is empty in every row is left out.
func align(rows [][]string, right ...int) string {
	var b strings.Builder
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if slices.Contains(right, i) {
				line.WriteString(space + cell + "  ")
			} else {
				line.WriteString(cell + space + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// bar is n of most as a bar of at most width characters, to an eighth of one.
func bar(n, most, width int) string {
	eighths := n * width * 8 / max(most, 1)
	if n > 0 && width > 0 { // a small n still shows
		eighths = max(eighths, 1)
	}
	return strings.Repeat("█", eighths/8) + strings.TrimSpace(string([]rune(" ▏▎▍▌▋▊▉")[eighths%8]))
}

// spark is n of most as one character; none if n is 0.
func spark(n, most int) string {
	if n == 0 {
		return ""
	}
	return string([]rune("▁▂▃▄▅▆▇█")[min(n*7/most, 7)])
}
