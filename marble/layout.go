package marble

import (
	"slices"
	"time"
)

// Sizes of a picture, in pixels.
const (
	margin     = 20
	step       = 36  // a frame
	radius     = 14  // of a marble
	stacked    = 31  // between marbles that come at once
	laneHeight = 58  // a lane without a stack
	longest    = 12  // frames drawn to scale; a longer wait is broken
	broken     = 120 // the width of such a wait
	charWidth  = 8   // of a name, about
	boxHeight  = 46
)

// timeline has the place of each instant on the picture. All lanes of a figure share it.
type timeline struct {
	x      map[time.Duration]float64
	breaks []breakAt
	left   float64 // where the axes begin
	right  float64 // and where they end
}

// breakAt is a wait that is too long to draw.
type breakAt struct {
	x    float64
	wait time.Duration
}

func newTimeline(diagrams []Diagram, left float64) timeline {
	times := []time.Duration{0}
	frame := DefaultFrame
	for _, d := range diagrams {
		frame = d.Frame
		times = append(times, d.End)
		for _, e := range d.Events {
			times = append(times, e.At)
		}
	}
	slices.Sort(times)
	times = slices.Compact(times)
	line := timeline{x: map[time.Duration]float64{}, left: left}
	x := left + step
	line.x[times[0]] = x
	for i, at := range times[1:] {
		wait := at - times[i]
		width := max(step*float64(wait)/float64(frame), 2*radius+2)
		if wait > longest*frame {
			line.breaks = append(line.breaks, breakAt{x + broken/2, wait})
			width = broken
		}
		x += width
		line.x[at] = x
	}
	line.right = x + step
	return line
}

// depth is the most marbles that a lane has below its axis.
func depth(d Diagram) int {
	deepest := 0
	for _, run := range instants(d.Events) {
		deepest = max(deepest, len(values(run))-1)
	}
	return deepest
}

// values are the events of a run that are drawn as marbles.
func values(run []Event) []Event {
	var marbles []Event
	for _, e := range run {
		if e.Kind == Next {
			marbles = append(marbles, e)
		}
	}
	return marbles
}

// ink is how a marble is painted.
type ink struct{ fill, edge string }

// palette has pale colours: dark letters can be read on them.
var palette = []ink{
	{"#79c0ff", "#1f6feb"}, // blue
	{"#ffc680", "#bc6c00"}, // orange
	{"#8ddb8c", "#2c8a3d"}, // green
	{"#ffabc7", "#c2447a"}, // pink
	{"#d2b5ff", "#8250df"}, // purple
	{"#ffe066", "#a98600"}, // yellow
	{"#7adfd2", "#138a7e"}, // teal
	{"#e0b896", "#94623a"}, // brown
	{"#c6dc6e", "#6f8a10"}, // lime
	{"#c4ccd4", "#66707b"}, // grey
}

// painter gives equal values equal colours, in the order in which they appear.
type painter struct {
	inks   map[string]ink
	legend []string // what does not fit in a marble
}

func (p *painter) ink(e Event) ink {
	key := show(e.Value)
	if _, known := p.inks[key]; !known {
		p.inks[key] = palette[len(p.inks)%len(palette)]
		if label(e) == e.Letter && e.Value != e.Letter {
			p.legend = append(p.legend, e.Letter+" = "+show(e.Value))
		}
	}
	return p.inks[key]
}
