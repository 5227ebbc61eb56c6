package marble_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// A test of a pipeline, as it stands in a test function.
func ExampleTest() {
	_ = func(t *testing.T) {
		marble.Test(t, func(m *marble.M) {
			source := m.Hot("a-b-c-|", marble.Values{"a": 3, "b": 12, "c": 7})
			low := source.Filter(func(v any) bool { return v.(int) < 10 })
			m.Expect(low).ToBe("a---c-|", marble.Values{"a": 3, "c": 7})
			m.ExpectSubscriptions(source).ToBe("^-----!")
		})
	}
}

// What never ends is looked at through a window.
func ExampleWindow() {
	_ = func(t *testing.T) {
		marble.Test(t, func(m *marble.M) {
			m.Frame(time.Second)
			source := m.Cold("a-a-a-a-a-")
			m.Expect(source, marble.Window("--^---!")).ToBe("--a-a-")
		})
	}
}

func ExampleParse() {
	d, err := marble.Parse("-a-^-(bc)- 90ms |")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range d.Events {
		fmt.Println(e.Letter, e.At)
	}
	// Output:
	// a -2ms
	// ^ 0s
	// b 2ms
	// c 2ms
	// | 97ms
}

func ExampleSyntaxError() {
	_, err := marble.Parse("a-(b(c))-|")
	fmt.Println(err)
	// Output:
	// marble: column 5: a group inside a group: ")" comes first
	//     a-(b(c))-|
	//         ^
}

// Two groups one frame apart have no form in RxJS.
func ExampleDiagram_String() {
	d := marble.Diagram{
		Frame: time.Millisecond,
		Events: []marble.Event{
			{At: 0, Letter: "a"}, {At: 0, Letter: "b"},
			{At: time.Millisecond, Letter: "c"}, {At: time.Millisecond, Letter: "d"},
			{At: time.Second, Kind: marble.Completed, Letter: "|"},
		},
	}
	fmt.Println(d)
	// Output: [ab]-(cd) 995ms |
}

// One figure is both the test of an operator and its picture.
func ExampleFigure() {
	slots := marble.Values{"a": 3, "b": 12, "c": 7}
	filter := marble.Figure{
		Title:    "Filter",
		In:       []marble.Lane{{Diagram: "a-b-c-|", Values: slots}},
		Operator: "Filter(slot < 10)",
		Out:      []marble.Lane{{Diagram: "a---c-|", Values: slots}},
	}
	_ = func(t *testing.T) {
		marble.Test(t, func(m *marble.M) {
			m.Figure(filter, func(in ...*marble.Source) []rxgo.Observable {
				return []rxgo.Observable{in[0].Filter(func(v any) bool { return v.(int) < 10 })}
			})
		})
	}
	var picture strings.Builder
	if err := marble.SVG(&picture, filter); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	fmt.Println(strings.Count(picture.String(), "<circle"), "marbles")
	// Output: 5 marbles
}
