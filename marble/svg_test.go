package marble

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// figures have everything that can be drawn.
var figures = map[string]Figure{
	"filter": {
		Title:    "Filter",
		In:       []Lane{{Name: "slots", Diagram: "-a--b-c--d-|", Values: slots}},
		Operator: "Filter(slot < 10)",
		Out:      []Lane{{Name: "low", Diagram: "-a----c--d-|", Values: slots}},
	},
	"merge": {
		Title:    "Merge",
		In:       []Lane{{Diagram: "-a---b----c-#"}, {Diagram: "---x-y-[zx]-----|"}},
		Operator: "Merge",
		Out:      []Lane{{Diagram: "-a-x-[by]--[zx]---c-#"}},
	},
	"groups": {
		Title: "Groups, long waits & a value too long for a marble",
		Frame: time.Second,
		In: []Lane{
			{Name: "hot", Diagram: "a-^-(bcd)--🚗|", Values: Values{
				"a": 1, "b": "10.0.0.1:4040", "c": "10.0.0.2:4040", "d": 144, "🚗": "🚗"}},
			{Name: "cold", Diagram: "-a 1h (b|)", Values: Values{"a": 1, "b": "10.0.0.1:4040"}, Cold: true},
			{Name: "failing", Diagram: "-(a#)"},
		},
	},
}

var slots = Values{"a": 3, "b": 12, "c": 7, "d": 3}

func TestPictures(t *testing.T) {
	for name, figure := range figures {
		var got bytes.Buffer
		if err := SVG(&got, figure); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".svg", got.String())
		decoder := xml.NewDecoder(&got)
		for {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", name, err)
			}
		}
	}
}

func TestPictureOfSeveral(t *testing.T) {
	var one, all bytes.Buffer
	if err := errors.Join(SVG(&one, figures["filter"]), SVG(&all, figures["filter"], figures["merge"], figures["groups"])); err != nil {
		t.Fatal(err)
	}
	if strings.Count(all.String(), "<circle") <= strings.Count(one.String(), "<circle") {
		t.Error("three figures have no more marbles than one")
	}
	golden(t, "all.svg", all.String())
}

func TestPictureOfAMistake(t *testing.T) {
	var wrong *SyntaxError
	for _, f := range []Figure{{In: []Lane{{Diagram: "a"}, {Diagram: "(a"}}}, {Title: "x", Out: []Lane{{Diagram: "^a"}}}} {
		if err := SVG(io.Discard, f); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "lane") {
			t.Errorf("got %v, want a SyntaxError that names the lane", err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestPictureThatCannotBeWritten(t *testing.T) {
	if err := SVG(fullDisk{}, figures["filter"]); err != io.ErrShortWrite {
		t.Errorf("got %v", err)
	}
}

func TestFigure(t *testing.T) {
	filter := func(in ...*Source) []rxgo.Observable {
		return []rxgo.Observable{in[0].Filter(below(10))}
	}
	Test(t, func(m *M) { m.Figure(figures["filter"], filter) })
	Test(t, func(m *M) {
		m.Figure(Figure{Frame: time.Minute, In: []Lane{{Diagram: "a-b|", Cold: true}}, Out: []Lane{{Diagram: "a-b|"}}},
			func(in ...*Source) []rxgo.Observable {
				return []rxgo.Observable{in[0].Map(func(_ context.Context, v any) (any, error) { return v, nil })}
			})
	})
	wrong := figures["filter"]
	wrong.Out = wrong.In
	mustFail(t, func(m *M) { m.Figure(wrong, filter) }, "not what was expected", "svg_test.go:")
	mustFail(t, func(m *M) { m.Figure(Figure{Title: "Filter", In: wrong.In}, filter) }, "Filter: the pipeline has 1 outputs, its figure 0")
}
