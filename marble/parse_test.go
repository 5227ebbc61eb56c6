package marble

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// said writes what a diagram says: each event and its time, and how far it reaches.
func said(d Diagram) string {
	var b strings.Builder
	for _, e := range d.Events {
		b.WriteString(e.Letter + "@" + e.At.String() + " ")
	}
	return b.String() + "to " + d.End.String()
}

func TestSyntax(t *testing.T) {
	for _, test := range []struct{ name, diagram, want string }{
		{"nothing", "", "to 0s"},
		{"a dash is a frame", "---", "to 3ms"},
		{"a letter is a frame too", "abc", "a@0s b@1ms c@2ms to 3ms"},
		{"an end", "--|", "|@2ms to 2ms"},
		{"an error", "-a-#", "a@1ms #@3ms to 3ms"},
		{"an end at once", "|", "|@0s to 0s"},
		{"spaces are nothing", "  a - b  |  ", "a@0s b@2ms |@3ms to 3ms"},
		{"digits are values", "-1-23|", "1@1ms 2@3ms 3@4ms |@5ms to 5ms"},
		{"capitals and others", "A.é語_|", "A@0s .@1ms é@2ms 語@3ms _@4ms |@5ms to 5ms"},
		{"an emoji is one value", "🚗-👍🏽-👩‍🚒-🇨🇭-1️⃣|", "🚗@0s 👍🏽@2ms 👩‍🚒@4ms 🇨🇭@6ms 1️⃣@8ms |@9ms to 9ms"},
		{"a letter with its accent", "e\u0301-|", "e\u0301@0s |@2ms to 2ms"},
		{"a group takes its width", "(ab)-c|", "a@0s b@0s c@5ms |@6ms to 6ms"},
		{"a group of one", "-(a)-b", "a@1ms b@5ms to 6ms"},
		{"a group with the end", "--(ab|)", "a@2ms b@2ms |@2ms to 2ms"},
		{"a group with an error", "(a#)", "a@0s #@0s to 0s"},
		{"spaces in a group are nothing", "( a b )c", "a@0s b@0s c@4ms to 5ms"},
		{"spaces behind the end", "(a |) ", "a@0s |@0s to 0s"},
		{"brackets take no time", "[ab]-c|", "a@0s b@0s c@1ms |@2ms to 2ms"},
		{"brackets next to each other", "-[ab]-[cd]-[ef|]", "a@1ms b@1ms c@2ms d@2ms e@3ms f@3ms |@3ms to 3ms"},
		{"time", "a 9ms b|", "a@0s b@10ms |@11ms to 11ms"},
		{"time in all units", "a 1h b 2m c 3s d 4ms |", "a@0s b@1h0m0.001s c@1h2m0.002s d@1h2m3.003s |@1h2m3.008s to 1h2m3.008s"},
		{"fractions of time", "0.5s a 1.25ms b", "a@500ms b@502.25ms to 503.25ms"},
		{"time at the beginning", "9ms a", "a@9ms to 10ms"},
		{"time at the end", "a 9ms", "a@0s to 10ms"},
		{"time alone", "1.5h", "to 1h30m0s"},
		{"times in a row", "1ms 2ms a", "a@3ms to 4ms"},
		{"no time at all", "a 0ms b", "a@0s b@1ms to 2ms"},
		{"a time is a whole word", "a9ms b|", "a@0s 9@1ms m@2ms s@3ms b@4ms |@5ms to 5ms"},
		{"and nothing but a time", "9ms|", "9@0s m@1ms s@2ms |@3ms to 3ms"},
		{"a lone digit is a value", "1 2- 9", "1@0s 2@1ms 9@3ms to 4ms"},
		{"time after the end is nothing", "a|-- 9ms", "a@0s |@1ms to 1ms"},
		{"time after an error is nothing", "a#--", "a@0s #@1ms to 1ms"},
		{"and of units that are known", "9x", "9@0s x@1ms to 2ms"},
		{"a subscription is frame zero", "-a-^-b|", "a@-2ms ^@0s b@2ms |@3ms to 3ms"},
		{"also in a group", "-a(b^c)d|", "a@-1ms b@0s ^@0s c@0s d@5ms |@6ms to 6ms"},
		{"all before the subscription", "a-|", "a@0s |@2ms to 2ms"},
		{"an end before the subscription", "--^", "^@0s to 1ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse(test.diagram)
			if err != nil {
				t.Fatal(err)
			}
			if got := said(d); got != test.want {
				t.Errorf("%q says\n\t%s, want\n\t%s", test.diagram, got, test.want)
			}
			again, err := Parse(d.String())
			if diff := cmp.Diff(d, again); diff != "" || err != nil {
				t.Errorf("%q is written %q, which says something else: %v\n%s", test.diagram, d, err, diff)
			}
		})
	}
}

func TestWindows(t *testing.T) {
	for window, want := range map[string]string{
		"^":        "^@0s to 1ms",
		"^---!":    "^@0s !@4ms to 4ms",
		"--^--!":   "^@2ms !@5ms to 5ms",
		"---!":     "!@3ms to 3ms",
		"-(^!)":    "^@1ms !@1ms to 1ms",
		"^ 1s !":   "^@0s !@1.001s to 1.001s",
		"":         "to 0s",
		"-^- 10ms": "^@1ms to 13ms",
	} {
		d, err := parse(window, time.Millisecond, windowGrammar, nil)
		if err != nil || said(d) != want {
			t.Errorf("%q says %s, %v; want %s", window, said(d), err, want)
		}
		again, err := parse(d.String(), time.Millisecond, windowGrammar, nil)
		if diff := cmp.Diff(d, again); diff != "" || err != nil {
			t.Errorf("%q is written %q, which says something else: %v\n%s", window, d, err, diff)
		}
	}
}

func TestFrames(t *testing.T) {
	d, err := ParseFrames("-a 500ms (bc)|", time.Second)
	if want := "a@1s b@2.5s c@2.5s |@6.5s to 6.5s"; err != nil || said(d) != want {
		t.Errorf("got %s, %v; want %s", said(d), err, want)
	}
	for _, frame := range []time.Duration{0, -1} {
		if _, err := ParseFrames("a", frame); err == nil {
			t.Errorf("a frame of %v is no error", frame)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		name    string
		grammar grammar
		diagram string
		column  int
		says    string
	}{
		{"a group without an end", hotGrammar, "-a(bc", 3, `never closed: ")" is missing`},
		{"brackets without an end", hotGrammar, "[bc", 1, `never closed: "]" is missing`},
		{"an end without a group", hotGrammar, "-a)b", 3, `")" closes no group`},
		{"the wrong end", hotGrammar, "-[a)b", 4, `ends with "]" must not end with ")"`},
		{"a group in a group", hotGrammar, "(a(b))", 3, "a group inside a group"},
		{"brackets in a group", hotGrammar, "(a[b])", 3, "a group inside a group"},
		{"an empty group", hotGrammar, "a()b", 3, "a group of nothing"},
		{"an empty group of spaces", hotGrammar, "a( )b", 4, "a group of nothing"},
		{"a dash in a group", hotGrammar, "(a-b)", 3, "time inside a group"},
		{"a duration in a group", hotGrammar, "(a 9ms b)", 4, "time inside a group"},
		{"a value after the end", hotGrammar, "a|b", 3, "only time can follow |"},
		{"a value after the end, in a group", hotGrammar, "(a|b)", 4, "only time can follow |"},
		{"a group after the end", hotGrammar, "|(a)", 2, "only time can follow |"},
		{"two ends", hotGrammar, "a||", 3, "only time can follow |"},
		{"two subscriptions", hotGrammar, "-^-a^", 5, "a second ^"},
		{"two subscriptions, of a window", windowGrammar, "^-^!", 3, "a second ^"},
		{"no unit, a fraction", hotGrammar, "a 1.5 b", 3, "a duration without a unit: write 1.5ms"},
		{"no unit, at the end", hotGrammar, "a 10", 3, "without a unit: write 10ms, or s, m, h; a value 1 that begins a word is [1]"},
		{"a unit too fine", hotGrammar, "a 9us b", 3, "a duration in us"},
		{"a time too fine", hotGrammar, "a 0.0000001ms b", 3, "finer than a nanosecond"},
		{"a time too long", hotGrammar, "a 3000000h b", 3, "292 years"},
		{"times too long", hotGrammar, "a 2000000h 2000000h b", 12, "292 years"},
		{"a tab", hotGrammar, "a\tb", 2, `"\t" cannot be a value`},
		{"a line break", hotGrammar, "a-\n-b", 3, "cannot be a value"},
		{"no text", hotGrammar, "ab\xff", 3, "cannot be a value"},
		{"a mark on nothing", hotGrammar, "-\u0301", 2, "cannot be a value"},
		{"a departure from a source", hotGrammar, "-a-!", 4, `"!" has no place in the diagram of a hot source`},
		{"a subscription in a cold source", plainGrammar, "-^a", 2, `"^" has no place in the diagram of a cold source or an expectation`},
		{"a value in a window", windowGrammar, "^-a!", 3, `"a" has no place in the diagram of a subscription`},
		{"an end in a window", windowGrammar, "^-|", 3, `"|" has no place`},
		{"a subscription after the departure", windowGrammar, "-!^", 3, "only time can follow !"},
		{"a value in a time", timeGrammar, "-a|", 2, `"a" has no place in the diagram of a time`},
		{"columns are characters", hotGrammar, "👩‍🚒-語)", 4, `")" closes no group`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(test.diagram, time.Millisecond, test.grammar, nil)
			var wrong *SyntaxError
			if !errors.As(err, &wrong) {
				t.Fatalf("%q: %v, want a SyntaxError", test.diagram, err)
			}
			if wrong.Column != test.column || !strings.Contains(wrong.Message, test.says) {
				t.Errorf("%q, want column %d and %q:\n%v", test.diagram, test.column, test.says, err)
			}
		})
	}
}

func TestMistakeIsPointedAt(t *testing.T) {
	_, err := Parse("語-(a(b))")
	want := `marble: column 5: a group inside a group: ")" comes first
    語-(a(b))
         ^`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestValues(t *testing.T) {
	failed := errors.New("failed")
	for _, test := range []struct {
		name, diagram string
		values        Values
		want          []any
	}{
		{"a letter is its own", "ab", Values{}, []any{"a", "b"}},
		{"given", "ab", Values{"a": 1, "b": nil}, []any{1, nil}},
		{"an error", "a#", Values{"#": failed}, []any{"a", failed}},
		{"the error", "a#", Values{"a": 1}, []any{1, ErrFailed}},
		{"the end has none", "a|", Values{"a": 1}, []any{1, nil}},
		{"emoji", "🚗", Values{"🚗": 4}, []any{4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := parse(test.diagram, time.Millisecond, hotGrammar, test.values)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range d.Events {
				if e.Value != test.want[i] {
					t.Errorf("%s is %v, want %v", e.Letter, e.Value, test.want[i])
				}
			}
		})
	}
}

func TestValuesThatAreMissing(t *testing.T) {
	for want, test := range map[string]struct {
		diagram string
		values  Values
	}{
		`column 3: no value for "c": Values has a, b`: {"a-c", Values{"b": 1, "a": 2, "#": ErrFailed}},
		`column 2: the value of # is a string`:        {"a#", Values{"#": "no error"}},
	} {
		_, err := parse(test.diagram, time.Millisecond, hotGrammar, test.values)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", test.diagram, err, want)
		}
	}
}
