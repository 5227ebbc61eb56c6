//go:build !plan9

package faulty

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"syscall"
)

// What the reference was measured to do about lines.
const (
	refSplit  = "`Invalid protocol`"
	refSplit1 = refSplit + ", then slot 3 on a socket that it has already ended"
	refBehind = "`Invalid protocol`"
	refDigits = "slot `Infinity`"
)

// maxDigits is the most digits that a line may have, leading zeros and all: as many as the largest
// int of 64 bits has.
const maxDigits = 19

// lineCases are the lines that are right.
func lineCases() []Case {
	var cases []Case
	add := func(name, reference string, want []Outcome, script ...Step) {
		cases = append(cases, Case{Name: "line/" + name, Group: Lines, Script: script, Want: want, Reference: reference})
	}

	const line = "13\r\n"
	add("whole", "", slot(13), Send(line))
	add("zero", "", slot(0), Send("0\r\n"))
	add("leading zero", "", slot(13), Send("013\r\n"))
	add("leading zeros", "", slot(13), Send(strings.Repeat("0", maxDigits-2)+"13\r\n"))
	add("largest", "", slot(math.MaxInt), Send(strconv.Itoa(math.MaxInt)+"\r\n"))

	for cuts := 1; cuts < 1<<(len(line)-1); cuts++ { // each bit is a place to cut
		pieces := split(line, cuts)
		reference := ""
		switch {
		case len(pieces) == 2 && pieces[0] == "1":
			reference = refSplit1
		case len(pieces) == 2:
			reference = refSplit
		}
		add("split "+pieceName(pieces), reference, slot(13), Pieces(pieces...))
	}

	const more = line + "HELLO"
	add("coalesced", refBehind, reads("HELLO"), Send(more))
	for at := range len(more) - 1 {
		pieces := split(more, 1<<at)
		add("coalesced, split "+pieceName(pieces), "", reads("HELLO"), Pieces(pieces...))
	}
	add("coalesced, byte by byte", "", reads("HELLO"), Pieces(strings.Split(more, "")...))
	add("two lines", "", reads("14\r\n"), Send(line+"14\r\n"))
	add("flood behind", "", reads(strings.Repeat("spam", 1000)), Send(line), Endless("spam"))

	add("then closed", "", []Outcome{{Stream: Connections, Slot: 13, Ends: io.EOF}}, Send(line), Close())
	add("then half-closed", "", []Outcome{{Stream: Connections, Slot: 13, Ends: io.EOF}}, Send(line), HalfClose())
	add("then reset", "",
		[]Outcome{{Stream: Connections, Slot: 13, Says: "?", Ends: syscall.ECONNRESET}},
		Send(line), Hear(), Reset())
	add("reset at once", "",
		[]Outcome{
			{Stream: Connections, Slot: 13, Ends: syscall.ECONNRESET},
			{Stream: Unreachable, Cause: syscall.ECONNRESET},
		},
		Send(line), Reset())
	return cases
}

// split cuts text behind byte i for each bit i of cuts.
func split(text string, cuts int) []string {
	var pieces []string
	from := 0
	for i := range len(text) - 1 {
		if cuts&(1<<i) != 0 {
			pieces = append(pieces, text[from:i+1])
			from = i + 1
		}
	}
	return append(pieces, text[from:])
}

// pieceName names a split by the lengths of its pieces.
func pieceName(pieces []string) string {
	lengths := make([]string, len(pieces))
	for i, piece := range pieces {
		lengths[i] = fmt.Sprint(len(piece))
	}
	return strings.Join(lengths, "+")
}
