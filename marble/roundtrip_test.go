package marble

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzParse checks that what can be read can be written, and says the same when read again.
func FuzzParse(f *testing.F) {
	for _, diagram := range []string{"a-b-|", "(ab)-c|", "-a-^-b|", "a 9ms b|", "[ab]-c 0.5ms [d] 1h #",
		"9-ms", "9m", "1.5|", "👩‍🚒-(語é)", "^", "(a^b)", "", "a0.5ms", "0ms a 0ms b"} {
		f.Add(diagram, int64(time.Millisecond))
	}
	f.Add("a-b|", int64(1))
	f.Add("a 1s b", int64(time.Minute))
	f.Fuzz(func(t *testing.T, diagram string, frame int64) {
		for _, g := range []grammar{hotGrammar, plainGrammar, windowGrammar} {
			d, err := parse(diagram, time.Duration(frame), g, nil)
			if err != nil {
				_ = err.Error() // must not panic either
				continue
			}
			again, err := parse(d.String(), time.Duration(frame), g, nil)
			if diff := cmp.Diff(d, again); diff != "" || err != nil {
				t.Fatalf("%q is written %q, which says something else: %v\n%s", diagram, d, err, diff)
			}
		}
	})
}

// Whatever happens at whatever time can be written: what a pipeline emits need not fit frames.
func TestAnythingCanBeWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Diagram{Frame: time.Duration(rapid.Int64Range(1, 5e9).Draw(t, "frame"))}
		gap := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 20).Filter(func(n int64) bool { return n > 0 }),
			rapid.Int64Range(1, 1e12))
		at := time.Duration(0)
		for range rapid.IntRange(0, 12).Draw(t, "events") {
			n := gap.Draw(t, "gap")
			if rapid.Bool().Draw(t, "whole frames") {
				n = n % 40 * int64(d.Frame)
			}
			at += time.Duration(n)
			letter := rapid.SampledFrom([]string{"a", "b", "9", "1", ".", "m", "s", "h", "🚗", "é", "µ"}).Draw(t, "letter")
			d.Events = append(d.Events, Event{At: at, Letter: letter})
		}
		d.End = at
		switch rapid.IntRange(0, 2).Draw(t, "end") {
		case 0:
			d.Events = append(d.Events, Event{At: at, Kind: Completed, Letter: "|"})
		case 1:
			d.End += time.Duration(gap.Draw(t, "rest"))
		}
		again, err := ParseFrames(d.String(), d.Frame)
		if diff := cmp.Diff(d, again); diff != "" || err != nil {
			t.Fatalf("%v is written %q, which says something else: %v\n%s", said(d), d, err, diff)
		}
	})
}
