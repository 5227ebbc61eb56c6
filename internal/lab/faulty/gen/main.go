//go:build !plan9

// Command gen writes the page of all faults to the file named.
package main

import (
	"fmt"
	"os"

	"github.com/callosum-go/rover/internal/lab/faulty"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "gen: name one file to write, as in: go run ./gen ../../../docs/faults.md")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(faulty.Page()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
