package marble

import (
	"fmt"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// Figure is an operator as the documentation of Rx shows it: what goes in, what it is
// called, what comes out. SVG draws it and M.Figure tests it, so that a picture is right.
type Figure struct {
	Title    string
	Frame    time.Duration // how long a character lasts; DefaultFrame by default
	In       []Lane
	Operator string // what the box between In and Out says; empty: there is no box
	Out      []Lane
}

// Lane is one stream of a Figure.
type Lane struct {
	Name    string // at its left
	Diagram string
	Values  Values
	Cold    bool // as a source: M.Cold makes it; by default M.Hot does
}

// Figure tests a figure: its In lanes become sources, its Out lanes what is expected of
// the pipeline, in order.
func (m *M) Figure(f Figure, pipeline func(in ...*Source) []rxgo.Observable, options ...Option) {
	m.Helper()
	where := caller()
	if f.Frame != 0 {
		m.Frame(f.Frame)
	}
	var in []*Source
	for _, lane := range f.In {
		if lane.Cold {
			in = append(in, m.Cold(lane.Diagram, lane.Values))
		} else {
			in = append(in, m.Hot(lane.Diagram, lane.Values))
		}
	}
	out := pipeline(in...)
	if len(out) != len(f.Out) {
		m.Fatalf("marble: %s: the pipeline has %d outputs, its figure %d", f.Title, len(out), len(f.Out))
	}
	for i, lane := range f.Out {
		m.expect(out[i], where, options).ToBe(lane.Diagram, lane.Values)
	}
}

// diagrams reads the lanes of a figure.
func (f Figure) diagrams(lanes []Lane, g grammar) ([]Diagram, error) {
	frame := f.Frame
	if frame == 0 {
		frame = DefaultFrame
	}
	var all []Diagram
	for i, lane := range lanes {
		d, err := parse(lane.Diagram, frame, g, merged([]Values{lane.Values}))
		if err != nil {
			return nil, fmt.Errorf("marble: figure %q, lane %d: %w", f.Title, i+1, err)
		}
		all = append(all, d)
	}
	return all, nil
}
