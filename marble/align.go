package marble

import (
	"slices"
	"strings"
	"time"
)

// align writes diagrams under each other, so that an instant has the same column in all of
// them. columns has that column. Where only one diagram has an event, the others have time.
func align(diagrams ...Diagram) (lines []string, columns map[time.Duration]int) {
	a := aligner{columns: map[time.Duration]int{}, lanes: make([]lane, len(diagrams))}
	times := []time.Duration{0}
	end := time.Duration(0)
	for i, d := range diagrams {
		a.frame = d.Frame
		a.lanes[i].runs = instants(d.Events)
		for _, run := range a.lanes[i].runs {
			times = append(times, run[0].At)
		}
		end = max(end, d.End)
	}
	slices.Sort(times)
	times = slices.Compact(times)
	for i, at := range times {
		if i+1 < len(times) {
			a.instant(at, times[i+1]-at, false)
		} else {
			a.instant(at, end-at, true)
		}
	}
	for _, l := range a.lanes {
		lines = append(lines, strings.TrimRight(l.line, " "))
	}
	return lines, a.columns
}

// aligner lets its lanes grow from instant to instant.
type aligner struct {
	frame   time.Duration
	lanes   []lane
	columns map[time.Duration]int
}

type lane struct {
	runs [][]Event // still to be written
	over bool      // its end is written
	line string
}

// take is what happens in the lane at a time.
func (l *lane) take(at time.Duration) []Event {
	if len(l.runs) == 0 || l.runs[0][0].At != at {
		return nil
	}
	run := l.runs[0]
	l.runs = l.runs[1:]
	return run
}

// instant writes what happens at a time, and the gap up to the next instant, into each lane.
func (a *aligner) instant(at, gap time.Duration, last bool) {
	column := 0
	for _, l := range a.lanes {
		if !l.over {
			column = max(column, columnsOf(l.line))
		}
	}
	a.columns[at] = column
	runs := make([][]Event, len(a.lanes))
	frames := int64(gap / a.frame)
	style := natural
	for i := range a.lanes {
		runs[i] = a.lanes[i].take(at)
		switch n := len(runs[i]); {
		case gap%a.frame != 0 || frames > maxDashes:
			style = asDuration
		case !last && n > 1 && int64(n)+2 > frames && style == natural && !ends(runs[i], a.lanes[i]):
			style = padded
		}
	}
	a.write(column, runs, gap, style)
}

// ends reports whether a run is the last thing in its lane, so that no time follows.
func ends(run []Event, l lane) bool {
	return len(run) > 0 && len(l.runs) == 0 && isEnd(run[len(run)-1].Kind)
}

// How the gap after an instant is written.
const (
	natural    = iota // a character is a frame, as in RxJS: (ab)--
	padded            // [ab]-: groups are too wide for that, and other lanes get spaces
	asDuration        // a 9.5ms
)

func (a *aligner) write(column int, runs [][]Event, gap time.Duration, style int) {
	heads := make([]string, len(runs))
	width := 0
	for i, run := range runs {
		heads[i] = a.head(run, gap, style)
		if !a.lanes[i].over {
			width = max(width, columnsOf(heads[i]))
		}
	}
	for i, run := range runs {
		l := &a.lanes[i]
		if l.over {
			continue
		}
		l.line += strings.Repeat(" ", column-columnsOf(l.line))
		switch {
		case ends(run, *l):
			text, _ := token(run, 0)
			l.line += text
			l.over = true
		case style == natural:
			l.line += heads[i] + strings.Repeat("-", max(0, int(gap/a.frame)-charactersIn(heads[i])))
		default:
			l.line += heads[i] + strings.Repeat(" ", width-columnsOf(heads[i])) + a.rest(gap)
		}
	}
}

// head is what happens at an instant. In all styles but natural it includes the first frame
// of the gap.
func (a *aligner) head(run []Event, gap time.Duration, style int) string {
	switch {
	case style == natural && len(run) < 2:
		return letters(run)
	case style == natural:
		return "(" + letters(run) + ")"
	case gap < a.frame && len(run) == 0:
		return ""
	case gap < a.frame:
		return "[" + letters(run) + "]"
	case len(run) == 0:
		return "-"
	case len(run) == 1:
		return letters(run)
	default:
		return "[" + letters(run) + "]-"
	}
}

// rest is the gap without its first whole frame, which the head has.
func (a *aligner) rest(gap time.Duration) string {
	if gap >= a.frame {
		gap -= a.frame
	}
	switch {
	case gap == 0:
		return ""
	case gap%a.frame == 0 && gap/a.frame <= maxDashes:
		return strings.Repeat("-", int(gap/a.frame))
	default:
		return " " + formatDuration(gap) + " "
	}
}

func charactersIn(text string) int { return len(characters(text)) }
