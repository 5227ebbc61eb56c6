package main

import (
	"os"
	"strings"
	"testing"
)

func Example() {
	main()
	// Output:
	// north-1 2
	// north-2 2
	// south-1 0
	// south-2 0
}

// The policy has thirty lines, and is the one of package roam's Example.
func TestZone(t *testing.T) {
	source := read(t, "zone.go")
	_, policy, _ := strings.Cut(source, "\n// A zone is")
	lines := 0
	for line := range strings.Lines(policy) {
		if line != "\n" && !strings.HasPrefix(line, "//") {
			lines++
		}
	}
	if lines -= 1; lines > 30 { // the first is the rest of a comment
		t.Errorf("the policy has %d lines", lines)
	}
	if policy == "" || !strings.Contains(read(t, "../../roam/example_test.go"), policy) {
		t.Error("roam/example_test.go has another policy")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
