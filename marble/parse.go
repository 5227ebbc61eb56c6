package marble

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// ErrFailed is what a # stands for when no Values say otherwise.
var ErrFailed = errors.New("marble: #")

// Parse reads a diagram whose frame is DefaultFrame; the package's page has the syntax.
// For a wrong diagram the error is a *SyntaxError.
func Parse(diagram string) (Diagram, error) {
	return ParseFrames(diagram, DefaultFrame)
}

// ParseFrames reads a diagram of which each character lasts one frame, longer than zero.
func ParseFrames(diagram string, frame time.Duration) (Diagram, error) {
	return parse(diagram, frame, hotGrammar, nil)
}

// SyntaxError says what is wrong with a diagram, and where.
type SyntaxError struct {
	Diagram string
	Column  int // the character at fault, from 1
	Message string
}

// Error is three lines: what is wrong, the diagram, and a caret under the character.
func (e *SyntaxError) Error() string {
	before := strings.Join(characters(e.Diagram)[:e.Column-1], "")
	return fmt.Sprintf("marble: column %d: %s\n    %s\n    %s^",
		e.Column, e.Message, e.Diagram, strings.Repeat(" ", columnsOf(before)))
}

// grammar has the kinds of events that a diagram may have, and what the diagram is of.
type grammar struct {
	kinds []Kind
	of    string
	hot   bool // ^ is frame zero
}

var (
	hotGrammar    = grammar{[]Kind{Next, Completed, Failed, Subscribed}, "a hot source", true}
	plainGrammar  = grammar{[]Kind{Next, Completed, Failed}, "a cold source or an expectation", false}
	windowGrammar = grammar{[]Kind{Subscribed, Unsubscribed}, "a subscription", false}
	timeGrammar   = grammar{[]Kind{Completed}, "a time", false}
)

var kindOf = map[string]Kind{"|": Completed, "#": Failed, "^": Subscribed, "!": Unsubscribed}

// parser reads a diagram from left to right.
type parser struct {
	grammar
	diagram    string
	characters []string
	values     Values // nil: events need none
	now        time.Duration
	group      group
	zero       time.Duration // of a hot source: where ^ is
	result     Diagram
}

// group is what stands in parentheses or brackets.
type group struct {
	closer string // empty: there is none
	column int    // of its beginning
	width  int64  // frames it takes, parentheses included
}

// parse reads a diagram. With values not nil each event gets its own; a letter without one
// is an error, unless no letter has one, and each stands for itself.
func parse(diagram string, frame time.Duration, g grammar, values Values) (Diagram, error) {
	if frame <= 0 {
		return Diagram{}, fmt.Errorf("marble: a frame of %v: it must be longer than zero", frame)
	}
	p := &parser{grammar: g, diagram: diagram, characters: characters(diagram), values: values}
	p.result.Frame = frame
	for i := 0; i < len(p.characters); {
		n, err := p.read(i)
		if err != nil {
			return Diagram{}, err
		}
		i += n
	}
	if p.group.closer != "" {
		return Diagram{}, p.wrong(p.group.column, "a group that is never closed: %q is missing", p.group.closer)
	}
	return p.finish(), nil
}

// finish moves frame zero to where a hot source is subscribed.
func (p *parser) finish() Diagram {
	d := p.result
	d.End = p.now - p.zero
	for i := range d.Events {
		d.Events[i].At -= p.zero
	}
	if d.ended() {
		d.End = d.Events[len(d.Events)-1].At
	}
	return d
}

func (p *parser) wrong(i int, format string, args ...any) error {
	return &SyntaxError{Diagram: p.diagram, Column: i + 1, Message: fmt.Sprintf(format, args...)}
}

// read reads what stands at character i, and returns how many characters that was.
func (p *parser) read(i int) (n int, err error) {
	c := p.characters[i]
	if c == " " {
		return 1, nil
	}
	if word := p.timeAt(i); word != nil {
		return len(word[0]), p.readDuration(i, word[1], word[2])
	}
	if c == "-" {
		return 1, p.readFrame(i) // after the end, too: so diagrams line up
	}
	if p.result.ended() && c != p.group.closer {
		end := p.result.Events[len(p.result.Events)-1].Letter
		return 0, p.wrong(i, "%q after the end: only time can follow %s", c, end)
	}
	switch c {
	case "(", "[":
		return 1, p.openGroup(i, c)
	case ")", "]":
		return 1, p.closeGroup(i, c)
	default:
		return 1, p.readEvent(i, c)
	}
}

// timeAt is the time that begins at character i, its number and its unit; nil if none does. A
// time is a whole word.
func (p *parser) timeAt(i int) []string {
	if c := p.characters[i]; c < "0" || c > "9" || i > 0 && p.characters[i-1] != " " {
		return nil
	}
	rest := p.characters[i:]
	if end := slices.Index(rest, " "); end >= 0 {
		rest = rest[:end]
	}
	return timeIn(strings.Join(rest, ""))
}

func (p *parser) readDuration(i int, number, unit string) error {
	d, complaint := parseDuration(number, unit)
	switch {
	case complaint != "":
		return p.wrong(i, "%s", complaint)
	case p.group.closer != "":
		return p.wrong(i, "time inside a group: what is in a group happens at once")
	}
	return p.pass(i, d)
}

func (p *parser) readFrame(i int) error {
	if p.group.closer != "" {
		return p.wrong(i, "time inside a group: what is in a group happens at once")
	}
	return p.passFrames(i, 1)
}

func (p *parser) openGroup(i int, opener string) error {
	if p.group.closer != "" {
		return p.wrong(i, "a group inside a group: %q comes first", p.group.closer)
	}
	p.group = group{closer: map[string]string{"(": ")", "[": "]"}[opener], column: i, width: 1}
	return nil
}

func (p *parser) closeGroup(i int, closer string) error {
	switch {
	case p.group.closer == "":
		return p.wrong(i, "%q closes no group", closer)
	case p.group.closer != closer:
		return p.wrong(i, "a group that ends with %q must not end with %q", p.group.closer, closer)
	case p.group.width == 1:
		return p.wrong(i, "a group of nothing")
	}
	width := p.group.width + 1
	p.group = group{}
	if closer == "]" || p.result.ended() {
		return nil
	}
	return p.passFrames(i, width)
}

func (p *parser) readEvent(i int, c string) error {
	kind, isMark := kindOf[c]
	switch {
	case !isMark && !isLetter(c):
		return p.wrong(i, "%q cannot be a value: it is nothing one could see", c)
	case !slices.Contains(p.kinds, kind):
		return p.wrong(i, "%q has no place in the diagram of %s", c, p.of)
	case kind == Subscribed && p.subscribed():
		return p.wrong(i, "a second ^: one subscribes once")
	}
	e := Event{At: p.now, Kind: kind, Letter: c}
	if complaint := e.bind(p.values); complaint != "" {
		return p.wrong(i, "%s", complaint)
	}
	if kind == Subscribed && p.hot {
		p.zero = p.now
	}
	p.result.Events = append(p.result.Events, e)
	if p.group.closer != "" {
		p.group.width++
		return nil
	}
	return p.passFrames(i, 1)
}

func (p *parser) subscribed() bool {
	return slices.ContainsFunc(p.result.Events, func(e Event) bool { return e.Kind == Subscribed })
}

func (p *parser) passFrames(i int, frames int64) error {
	if int64(p.result.Frame) > math.MaxInt64/frames {
		return p.wrong(i, "%s", tooLong)
	}
	return p.pass(i, time.Duration(frames)*p.result.Frame)
}

func (p *parser) pass(i int, d time.Duration) error {
	if d > math.MaxInt64-p.now {
		return p.wrong(i, "%s", tooLong)
	}
	p.now += d
	return nil
}

// bind sets what an event stands for. complaint says why it cannot; empty if it can.
func (e *Event) bind(values Values) (complaint string) {
	if values == nil || e.Kind != Next && e.Kind != Failed {
		return ""
	}
	value, given := values[e.Letter]
	switch {
	case e.Kind == Failed && !given:
		value = ErrFailed
	case e.Kind == Failed:
		if _, ok := value.(error); !ok {
			return fmt.Sprintf("the value of # is a %T: it must be an error", value)
		}
	case !given:
		known := slices.DeleteFunc(slices.Sorted(maps.Keys(values)), func(k string) bool { return k == "#" })
		if len(known) > 0 {
			return fmt.Sprintf("no value for %q: Values has %s", e.Letter, strings.Join(known, ", "))
		}
		value = e.Letter
	}
	e.Value = value
	return ""
}
