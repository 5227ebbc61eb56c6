package marble

import (
	"strings"
	"time"
)

// DefaultFrame is how long a character of a diagram lasts, unless a test says otherwise.
const DefaultFrame = time.Millisecond

// Values says what the letters of a diagram stand for. The key "#" is the error of a
// diagram that fails.
type Values map[string]any

// Kind is what an Event does.
type Kind uint8

// The kinds of events, each with its character in a diagram.
const (
	Next         Kind = iota // any letter or emoji: a value
	Completed                // | the end
	Failed                   // # an error, and with it the end
	Subscribed               // ^ an observer subscribes
	Unsubscribed             // ! and unsubscribes
)

// Event is one character of a diagram that is not time.
type Event struct {
	At     time.Duration // since frame zero; negative before the ^ of a hot source
	Kind   Kind
	Letter string // the character itself
	Value  any    // what it stands for; Parse, which knows no Values, leaves nil
}

// Diagram is a marble diagram that was read: what happens, and when. Two diagrams that say
// the same are deeply equal, however they were written.
type Diagram struct {
	Frame  time.Duration // how long a character lasts
	Events []Event       // in order
	End    time.Duration // how far the diagram reaches: the last event's time if that is | or #
}

// ended reports whether nothing can follow.
func (d Diagram) ended() bool {
	return len(d.Events) > 0 && isEnd(d.Events[len(d.Events)-1].Kind)
}

func isEnd(k Kind) bool { return k == Completed || k == Failed || k == Unsubscribed }

// instants cuts events into runs that happen at the same time.
func instants(events []Event) [][]Event {
	var runs [][]Event
	for i, e := range events {
		if i > 0 && events[i-1].At == e.At {
			last := len(runs) - 1
			runs[last] = append(runs[last], e)
			continue
		}
		runs = append(runs, events[i:i+1:i+1])
	}
	return runs
}

func letters(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.Letter)
	}
	return b.String()
}

// String writes the diagram in its shortest plain form; reading that with the same frame
// gives the diagram again.
//
// Where RxJS has a form it is used: a character a frame, groups in parentheses. What has
// none, because a character or a group takes time and the next event comes sooner, is
// written in brackets, which take no time: (ab) and the c one frame later are "[ab]-c", and
// an event half a frame after another is "[a] 0.5ms b".
func (d Diagram) String() string {
	var w diagramWriter
	cursor := time.Duration(0)
	if len(d.Events) > 0 {
		cursor = min(cursor, d.Events[0].At)
	}
	runs := instants(d.Events)
	for i, run := range runs {
		at := run[0].At
		w.pass(at-cursor, d.Frame)
		room := d.End - at
		if i+1 < len(runs) {
			room = runs[i+1][0].At - at
		}
		text, frames := token(run, int64(room/d.Frame))
		w.write(text)
		cursor = at + time.Duration(frames)*d.Frame
	}
	if !d.ended() {
		w.pass(d.End-cursor, d.Frame)
	}
	return w.String()
}

// token writes what happens at one instant, and returns how many frames that takes.
func token(run []Event, room int64) (text string, frames int64) {
	text = letters(run)
	ends := isEnd(run[len(run)-1].Kind)
	switch width := int64(len(run)) + 2; {
	case len(run) == 1 && (ends || room >= 1):
		return text, 1
	case len(run) > 1 && (ends || room >= width):
		return "(" + text + ")", width
	default:
		return "[" + text + "]", 0
	}
}

// maxDashes is the longest wait written as dashes. A longer one is a duration.
const maxDashes = 16

// diagramWriter collects the words of a diagram. Each is a duration, or events and dashes.
type diagramWriter struct {
	words []string
	open  bool // the last word is events and dashes, and can grow
}

func (w *diagramWriter) write(text string) {
	if !w.open {
		w.words, w.open = append(w.words, ""), true
	}
	w.words[len(w.words)-1] += text
}

func (w *diagramWriter) pass(d, frame time.Duration) {
	switch frames := d / frame; {
	case d <= 0:
	case d%frame == 0 && frames <= maxDashes:
		w.write(strings.Repeat("-", int(frames)))
	default:
		w.close()
		w.words = append(w.words, formatDuration(d))
	}
}

// close ends a word. One whose values would read as a time, as the 9, m and s of "9ms"
// do, gets its first value in brackets: "[9]-ms".
func (w *diagramWriter) close() {
	if !w.open {
		return
	}
	w.open = false
	last := &w.words[len(w.words)-1]
	if timeIn(*last) != nil {
		*last = "[" + (*last)[:1] + "]-" + (*last)[1:]
	}
}

func (w *diagramWriter) String() string {
	w.close()
	return strings.Join(w.words, " ")
}
