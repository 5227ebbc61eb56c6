package marble

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// The failures a reader is most likely to meet, as they are printed.
func TestFailureText(t *testing.T) {
	for _, test := range []struct {
		name      string
		want, got string
		values    Values // of want
		seen      Values // of got
		frame     time.Duration
	}{
		{name: "one-too-many", want: "a---c-|", got: "a-b-c-|",
			values: Values{"a": 3, "c": 7}, seen: Values{"a": 3, "b": 12, "c": 7}},
		{name: "late", want: "a-b-c|", got: "a-b--c|"},
		{name: "in-a-group", want: "-(abc)-d|", got: "-(acb)-d|"},
		{name: "groups-next-to-each-other", want: "-[ab]-[cd]-e|", got: "-[ab]-[c]-[de|]"},
		{name: "error", want: "a-#", got: "a-#", values: Values{"#": io.EOF}, seen: Values{"#": io.ErrClosedPipe}},
		{name: "error-for-end", want: "a-|", got: "a-#", seen: Values{"#": io.ErrClosedPipe}},
		{name: "between-frames", want: "a--b--|", got: "a 1.5ms b 2.5ms |"},
		{name: "long-waits", want: "a 2s b 3s |", got: "a 2s b 2999ms |", frame: time.Second},
		{name: "wide-letters", want: "🚗-語-x|", got: "🚗-語-y|"},
		{name: "letters-that-are-taken", want: "a-b|", got: "a-b-c|",
			values: Values{"a": 1, "b": 2, "c": 3}, seen: Values{"a": 1, "b": "a", "c": 5}},
		{name: "many", want: strings.Repeat("a-b-", 60) + "c|", got: strings.Repeat("a-b-", 40) + "aab-" + strings.Repeat("a-b-", 20)},
		{name: "nothing", want: "", got: "--a-"},
		{name: "everything", want: "--a-", got: ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.frame == 0 {
				test.frame = DefaultFrame
			}
			want := bound(t, test.want, test.frame, test.values)
			got := bound(t, test.got, test.frame, test.seen)
			for i := range got.Events {
				if got.Events[i].Kind == Next {
					got.Events[i].Letter = "" // a recording has none
				}
			}
			golden(t, test.name+".txt", explanation{equality: byDefault, values: test.values}.of(want, got))
		})
	}
}

func bound(t *testing.T, diagram string, frame time.Duration, values Values) Diagram {
	t.Helper()
	if values == nil {
		values = Values{}
	}
	d, err := parse(diagram, frame, hotGrammar, values)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWindowsText(t *testing.T) {
	window := func(text string) Diagram {
		d, err := parse(text, DefaultFrame, windowGrammar, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	golden(t, "windows.txt", fmt.Sprintln(explainWindows(
		[]Diagram{window("^--!"), window("--^ 2s !")}, []Diagram{window("^---!")})))
}
