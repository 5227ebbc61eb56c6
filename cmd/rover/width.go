package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v3"
)

// columns is the width of a line, except with long ids and where $COLUMNS says
// otherwise.
const columns = 80

// narrowest is the least width that lines are made for.
const narrowest = 40

// width is how wide lines may be, from $COLUMNS.
func width() int {
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || n <= 0 {
		return columns
	}
	return max(n, narrowest)
}

// wrap breaks a line at spaces so that no part is wider than width, where words
// allow it. The parts after the first are indented.
func wrap(line string, width, indent int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	line = strings.TrimRight(line, " ")
	var parts []string
	for utf8.RuneCountInString(line) > width {
		runes := []rune(line)
		at := width
		for at > indent && runes[at] != ' ' {
			at--
		}
		if at <= indent {
			at = width // a word without end
		}
		parts = append(parts, strings.TrimRight(string(runes[:at]), " "))
		line = strings.Repeat(" ", indent) + strings.TrimLeft(string(runes[at:]), " ")
	}
	return strings.Join(append(parts, strings.TrimRight(line, " ")), "\n")
}

func init() {
	help := cli.HelpPrinter
	cli.HelpPrinter = func(out io.Writer, template string, data any) {
		var text strings.Builder
		help(&text, template, data)
		for line := range strings.Lines(text.String()) {
			line, newline := strings.CutSuffix(line, "\n")
			end := ""
			if newline {
				end = "\n"
			}
			io.WriteString(out, wrap(line, width(), 6)+end)
		}
	}
}
