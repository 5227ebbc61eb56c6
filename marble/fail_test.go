package marble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// Each way in which an expectation does not hold.
func TestExpectationsThatFail(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"a value too many", "a-b-c|", "a---c|"},
		{"a value too few", "a---c|", "a-b-c|"},
		{"another value", "a-x-c|", "a-b-c|"},
		{"too late", "a--b|", "a-b-|"},
		{"too early", "ab--|", "a-b-|"},
		{"another order", "(ab)|", "(ba)|"},
		{"one twice", "(aa)|", "(a)-|"},
		{"no end", "a-b-", "a-b-|"},
		{"an end", "a-b-|", "a-b-"},
		{"an end too late", "a-b---|", "a-b-|"},
		{"an end too early", "a-b|", "a-b-|"},
		{"an error for an end", "a-#", "a-|"},
		{"an end for an error", "a-|", "a-#"},
		{"nothing for something", "", "a"},
		{"something for nothing", "---a", ""},
		{"a value after the diagram", "a-b-c", "a-b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustFail(t, func(m *M) { m.Expect(m.Hot(test.source)).ToBe(test.want) }, "not what was expected", "want", "got", "≠")
			mustFail(t, func(m *M) { m.Expect(m.Cold(test.source)).ToBe(test.want) }, "not what was expected", "≠")
			mustFail(t, func(m *M) { m.Expect(m.Hot(test.source)).ToEqual(m.Cold(test.want)) }, "not what was expected", "≠")
		})
	}
}

func TestOtherThingsThatFail(t *testing.T) {
	t.Run("another error", func(t *testing.T) {
		mustFail(t, func(m *M) {
			m.Expect(m.Hot("-#", Values{"#": io.EOF})).ToBe("-#", Values{"#": io.ErrUnexpectedEOF})
		}, `# = error "unexpected EOF"   (want, at 1ms)`, `# = error "EOF"   (got, at 1ms)`)
	})
	t.Run("another type", func(t *testing.T) {
		mustFail(t, func(m *M) {
			m.Expect(m.Hot("a|", Values{"a": int64(1)})).ToBe("a|", Values{"a": 1})
		}, "a = 1\n", "b = int64(1)   (has no letter in the test)")
	})
	t.Run("a set with another value", func(t *testing.T) {
		mustFail(t, func(m *M) { m.Expect(m.Hot("(abx)|"), AnyOrder()).ToBe("(bca)|") }, "≠ 0s    bca   bax")
	})
	t.Run("a set with one too many", func(t *testing.T) {
		mustFail(t, func(m *M) { m.Expect(m.Hot("(aba)|"), AnyOrder()).ToBe("(ba) -|") }, "≠ 0s    ba    baa")
	})
}

func TestSubscriptionsThatFail(t *testing.T) {
	for _, windows := range [][]string{
		{}, {"^--!"}, {"^-!", "^-!"}, {"-^!"}, {"^-"}, {"^!", "^-!"},
	} {
		mustFail(t, func(m *M) {
			source := m.Hot("--|")
			m.Expect(source).ToBe("--|")
			m.ExpectSubscriptions(source).ToBe(windows...)
		}, `not the subscriptions that were expected of "hot --|"`, "got   ^-!")
	}
}

func TestExpectationsThatAreNone(t *testing.T) {
	mustFail(t, func(m *M) {}, "a test without an expectation")
	mustFail(t, func(m *M) { m.Hot("a|") }, "a test without an expectation")
	mustFail(t, func(m *M) { m.Expect(m.Hot("a|")) }, "fail_test.go:", "never made: Expect needs ToBe or ToEqual")
	mustFail(t, func(m *M) { m.ExpectSubscriptions(m.Hot("a|")) }, "fail_test.go:", "never made: ExpectSubscriptions needs ToBe")
}

func TestMisuse(t *testing.T) {
	for _, test := range []struct {
		says string
		f    func(m *M)
	}{
		{"column 3: a group inside a group", func(m *M) { m.Hot("(a(") }},
		{`column 1: "^" has no place`, func(m *M) { m.Cold("^a") }},
		{`column 1: no value for "a": Values has b`, func(m *M) { m.Hot("a", Values{"b": 1}) }},
		{`column 2: "^" has no place`, func(m *M) { m.Expect(m.Cold("a")).ToBe("a^") }},
		{`column 3: no value for "b"`, func(m *M) { m.Expect(m.Cold("a|")).ToBe("a-b|", Values{"a": "a"}) }},
		{`column 2: "a" has no place`, func(m *M) { m.Expect(m.Cold("a"), Window("^a")) }},
		{"column 1: a subscription without ^", func(m *M) { m.ExpectSubscriptions(m.Cold("a")).ToBe("--!") }},
		{"column 1: a subscription without ^", func(m *M) { m.ExpectSubscriptions(m.Cold("a")).ToBe("") }},
		{"column 3: a time ends with |", func(m *M) { m.Time("---") }},
		{"column 1: a time ends with |", func(m *M) { m.Time("") }},
		{"a frame of -1ns: it must be longer than zero", func(m *M) { m.Frame(-1) }},
		{"Frame comes before the first", func(m *M) { m.Hot("a"); m.Frame(1) }},
		{"a second ToBe", func(m *M) { e := m.Expect(m.Cold("|")); e.ToBe("|"); e.ToBe("|") }},
		{"a second ToBe", func(m *M) { e := m.Expect(m.Cold("|")); e.ToBe("|"); e.ToEqual(m.Cold("|")) }},
		{"a second ToBe", func(m *M) { e := m.ExpectSubscriptions(m.Cold("|")); e.ToBe(); e.ToBe() }},
		{"Flush was called twice", func(m *M) { m.Expect(m.Cold("|")).ToBe("|"); m.Flush(); m.Flush() }},
		{"expectations come before Flush", func(m *M) { m.Expect(m.Cold("|")).ToBe("|"); m.Flush(); m.Expect(m.Cold("|")) }},
	} {
		mustFail(t, test.f, test.says)
	}
}

// badly is an observable that does what it should not.
type badly func(ctx context.Context, next chan<- rxgo.Item)

func (f badly) Observe(opts ...rxgo.Option) <-chan rxgo.Item {
	next := make(chan rxgo.Item)
	rxgo.Defer([]rxgo.Producer{func(ctx context.Context, _ chan<- rxgo.Item) {
		defer close(next)
		f(ctx, next)
	}}).DoOnCompleted(func() {}, opts...)
	return next
}

func TestValuesAfterTheEnd(t *testing.T) {
	mustFail(t, func(m *M) {
		m.Expect(badly(func(ctx context.Context, next chan<- rxgo.Item) {
			rxgo.Error(ErrFailed).SendContext(ctx, next)
			time.Sleep(time.Millisecond)
			rxgo.Of("a").SendContext(ctx, next)
		})).ToBe("#")
	}, "got   #(a|)", "≠ 1ms         a|")
}

// forgetful is the first value of a source, from which it does not unsubscribe.
func forgetful(source rxgo.Observable) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		item := <-source.Observe(rxgo.WithContext(ctx))
		item.SendContext(ctx, next)
	}})
}

func TestSubscriptionThatOutlivesItsObserver(t *testing.T) {
	mustFail(t, func(m *M) {
		m.Expect(forgetful(m.Hot("a-b-c-", Values{"a": 1, "b": 2, "c": 3}))).ToBe("(a|)", Values{"a": 1})
	},
		"fail_test.go:",
		`: marble: a subscription left open: "hot a-b-c-" was subscribed at 0s by what is expected here`,
		"which has ended, and did not unsubscribe")
	Test(t, func(m *M) { // a window that closes unsubscribes
		m.Expect(forgetful(m.Hot("a-b-c-")), Window("^-!")).ToBe("(a|)")
	})
}

func TestSubscriptionThatOutlivesTheTest(t *testing.T) {
	mustFail(t, func(m *M) {
		source := m.Hot("a-b-")
		source.ForEach(func(any) {}, func(error) {}, func() {})
		m.Expect(source).ToBe("a-b-")
	}, `a subscription left open: "hot a-b-" was subscribed at 0s, and still is when the test is over`)
	Test(t, func(m *M) { // to unsubscribe at the end is in time
		source := m.Hot("a-b-")
		source.ForEach(func(any) {}, func(error) {}, func() {}, rxgo.WithContext(m.Context()))
		ctx, cancel := context.WithCancel(context.Background())
		m.Cleanup(cancel)
		source.ForEach(func(any) {}, func(error) {}, func() {}, rxgo.WithContext(ctx))
		m.Expect(source).ToBe("a-b-")
	})
}

func TestObserverThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalled := make(chan bool)
		failures := failuresIn(t, func(m *M) {
			source := m.Hot("abcd|")
			source.ForEach(func(any) { <-stalled }, func(error) {}, func() {})
			m.Expect(source).ToBe("abcd|")
		})
		close(stalled)
		want := "still is when the test is over; of what it emitted 3 were never taken"
		if len(failures) != 1 || !strings.Contains(failures[0], want) {
			t.Errorf("got %q", failures)
		}
	})
}

// A goroutine that is left deadlocks the bubble: that is a failure like any other, which
// names the goroutine. Tests that must fail run in a process of their own.
func TestThatFailsForAll(t *testing.T) {
	for name, f := range map[string]func(t *testing.T){
		"leak": func(t *testing.T) {
			Test(t, func(m *M) {
				m.Expect(m.Cold("|")).ToBe("|")
				for range 2 {
					go leave(make(chan bool))
				}
				go func() { time.Sleep(time.Hour); leave(make(chan bool)) }()
			})
		},
		"stuck": func(t *testing.T) {
			Test(t, func(m *M) {
				m.Expect(m.Cold("|")).ToBe("|")
				leave(make(chan bool))
			})
		},
		"line": func(t *testing.T) {
			Test(t, func(m *M) {
				m.Expect(m.Cold("a|")).ToBe("b|")
			})
		},
	} {
		if os.Getenv("MARBLE_FAILS") != "" {
			if os.Getenv("MARBLE_FAILS") == name {
				f(t)
			}
			continue
		}
		test := exec.Command(os.Args[0], "-test.run=^TestThatFailsForAll$")
		test.Env = append(os.Environ(), "MARBLE_FAILS="+name)
		output, err := test.CombinedOutput()
		var exit *exec.ExitError
		text := string(output)
		if !errors.As(err, &exit) || !strings.Contains(text, "--- FAIL: TestThatFailsForAll") || strings.Contains(text, "panic") {
			t.Errorf("%s: want a test that fails, and no panic, got %v\n%s", name, err, text)
		}
		_, text, _ = strings.Cut(text, "\n") // the first line has the time it took
		text, _, _ = strings.Cut(text, "\nFAIL")
		golden(t, name+".txt", places.ReplaceAllString(text, "$1:LINE"))
	}
}

// places are files and lines, which change too often to compare.
var places = regexp.MustCompile(`(?:\S*/)?(\w+\.go):\d+`)

func leave(end chan bool) { <-end }

var errShown = errors.New("shown")

type shown struct{ A, B int }

func TestShow(t *testing.T) {
	for want, value := range map[string]any{
		"nil":                                   nil,
		"3":                                     3,
		"int64(3)":                              int64(3),
		`"3"`:                                   "3",
		"true":                                  true,
		`error "shown"`:                         errShown,
		`*fs.PathError "open x: shown"`:         &fs.PathError{Op: "open", Path: "x", Err: errShown},
		"time.Duration 1s":                      time.Second,
		"marble.shown{A:1 B:2}":                 shown{1, 2},
		"*marble.shown(&{A:1 B:2})":             &shown{1, 2},
		"[]int([1 2])":                          []int{1, 2},
		"map[string]int(map[a:1])":              map[string]int{"a": 1},
		fmt.Sprintf("rxgo.Item%+v", rxgo.Of(1)): rxgo.Of(1),
	} {
		if got := show(value); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
