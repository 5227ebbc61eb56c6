package marble

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// legend has the letter of each value.
type legend struct {
	equality
	entries []legendEntry
	taken   map[string]bool // letters that stand for something, here or in the test
	plain   bool            // the test gives no letter a value: a letter is a string
}

type legendEntry struct {
	letter string
	value  any
	ours   bool // the test has no letter for the value
}

// newLegend has the letters to which the test gives values.
func newLegend(q equality, want []Event, values Values) *legend {
	l := &legend{equality: q, taken: map[string]bool{}, plain: true}
	for _, letter := range slices.Sorted(maps.Keys(values)) {
		if letter == "#" {
			continue
		}
		l.plain = false
		l.add(letter, values[letter], false)
	}
	for _, e := range want {
		if e.Kind == Next && e.Letter != "" && !l.taken[e.Letter] {
			l.add(e.Letter, e.Value, false)
		}
	}
	return l
}

func (l *legend) add(letter string, value any, ours bool) {
	l.entries = append(l.entries, legendEntry{letter, value, ours})
	l.taken[letter] = true
}

// letter is the letter of a value, a new one if it has none.
func (l *legend) letter(value any) string {
	for _, e := range l.entries {
		if l.equality.values(e.value, value) {
			return e.letter
		}
	}
	if s, ok := value.(string); ok && l.plain && charactersIn(s) == 1 && isLetter(s) && !l.taken[s] {
		l.add(s, value, false)
		return s
	}
	letter := l.free()
	l.add(letter, value, true)
	return letter
}

// free is a letter that nothing stands for.
func (l *legend) free() string {
	for _, table := range []*unicode.RangeTable{unicode.Lower, unicode.Upper} {
		for _, r := range table.R16 {
			for c := r.Lo; c <= r.Hi; c += r.Stride {
				if letter := string(rune(c)); !l.taken[letter] && isLetter(letter) {
					return letter
				}
			}
		}
	}
	return "?"
}

// lines has one line for each letter that occurs and does not stand for itself.
func (l *legend) lines(events []Event) []string {
	occurs := map[string]bool{}
	for _, e := range events {
		occurs[e.Letter] = e.Kind == Next
	}
	var lines []string
	for _, e := range l.entries {
		if !occurs[e.letter] || e.value == e.letter {
			continue
		}
		line := fmt.Sprintf("%s = %s", e.letter, show(e.value))
		if e.ours && !l.plain {
			line += "   (has no letter in the test)"
		}
		lines = append(lines, line)
	}
	return lines
}

// showInner writes an inner observable as its diagram.
func showInner(v any) string {
	d, ok := innerDiagram(v)
	if !ok {
		return fmt.Sprintf("the source %q", v)
	}
	l := newLegend(byDefault, nil, nil)
	d.Events = slices.Clone(d.Events)
	for i, e := range d.Events {
		if e.Kind == Next {
			d.Events[i].Letter = l.letter(e.Value)
		}
	}
	return strings.Join(append([]string{fmt.Sprintf("an observable %q", d)}, l.lines(d.Events)...), ", ")
}

// show writes a value, with its type where the text alone does not show it.
func show(value any) string {
	switch v := value.(type) {
	case nil:
		return "nil"
	case *recording, *Source:
		return showInner(v)
	case string:
		return fmt.Sprintf("%q", v)
	case int, bool, float64:
		return fmt.Sprint(v)
	case error:
		if kind := fmt.Sprintf("%T", v); kind != "*errors.errorString" && kind != "*fmt.wrapError" {
			return fmt.Sprintf("%s %q", kind, v.Error())
		}
		return fmt.Sprintf("error %q", v.Error())
	case fmt.Stringer:
		return fmt.Sprintf("%T %v", v, v)
	}
	if reflect.TypeOf(value).Kind() == reflect.Struct {
		return fmt.Sprintf("%T%+v", value, value)
	}
	return fmt.Sprintf("%T(%+v)", value, value)
}
