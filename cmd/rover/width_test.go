package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/callosum-go/rover/server"
)

func TestWrap(t *testing.T) {
	for line, want := range map[string]string{
		"short":                  "short",
		"one two three":          "one two\n  three",
		"one two three four":     "one two\n  three\n  four",
		"abcdefghijklmno":        "abcdefghi\n  jklmno"[:9] + "\n  jklmno",
		"  ééé ééé ééé":          "  ééé ééé\n  ééé",
		"123456789 ":             "123456789",
		"123456789 123456789 12": "123456789\n  1234567\n  89 12",
	} {
		equal(t, line, wrap(line, 9, 2), want)
	}
}

// No line is wider than the terminal, down to 40 columns.
func TestNarrow(t *testing.T) {
	for columns, want := range map[string]int{"40": 40, "10": 40, "60": 60, "": 80, "wide": 80} {
		t.Setenv("COLUMNS", columns)
		equal(t, "width", width(), want)
		var s server.Slots
		lines := call(t, has("slot 0", "unreachable", "error"), append([]string{"rove", "--interval", "1ms"}, peers(t, &s)...)...)
		for _, args := range []string{"--help", "rove --help", "front --help", "proxy --help", "serve --help", "demo --help", "simulate --help"} {
			var stdout, stderr bytes.Buffer
			equal(t, args, run(t.Context(), append([]string{"rover"}, strings.Fields(args)...), &stdout, &stderr), 0)
			lines = append(lines, strings.Split(stdout.String(), "\n")...)
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > want {
				t.Errorf("%d columns: %d in %q", want, n, line)
			}
		}
	}
}
