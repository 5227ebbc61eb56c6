//go:build !plan9

package faulty

import "slices"

// Cases is the whole table: every row of the protocol's outcomes, and every way we know to get it
// wrong.
func Cases() []Case {
	return slices.Concat(lineCases(), junkCases(), endCases(), silenceCases(), wayCases(), ownCases())
}

// slot is the outcome of a sound line.
func slot(n int) []Outcome { return []Outcome{{Stream: Connections, Slot: n}} }

// reads is the outcome of line 13 with more behind it.
func reads(text string) []Outcome {
	return []Outcome{{Stream: Connections, Slot: 13, Reads: text}}
}

// protocol is the outcome of a line that is wrong on the last byte of line.
func protocol(line string) []Outcome {
	return []Outcome{{Stream: Errors, Class: Protocol, Wrong: line}}
}

// unreachable is the outcome of a server that cannot be used, for the cause given.
func unreachable(cause error) []Outcome {
	return []Outcome{{Stream: Unreachable, Cause: cause}}
}

// timeout is the outcome of a server that is too slow.
func timeout() []Outcome {
	return []Outcome{{Stream: Unreachable, Timeout: true, After: 1}}
}
