package marble

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
)

func below(n int) rxgo.Predicate { return func(v any) bool { return v.(int) < n } }

func TestHot(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Hot("a-b-c-|", Values{"a": 3, "b": 12, "c": 7})
		m.Expect(source.Filter(below(10))).ToBe("a---c-|", Values{"a": 3, "c": 7})
		m.ExpectSubscriptions(source).ToBe("^-----!")
	})
}

// The cases that RxJS documents.
func TestTimesOfRxJS(t *testing.T) {
	for diagram, want := range map[string]string{
		"(ab)-c|":  "[ab] 5ms c|",
		"a 9ms b|": "a---------b|",
		"-a-^-b|":  "--b|",
	} {
		Test(t, func(m *M) {
			m.Expect(m.Hot(diagram)).ToBe(want)
		})
	}
}

func TestHotIsUnderWay(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Hot("-a-^-b-c-|")
		m.Expect(source).ToBe("--b-c-|")
		m.Expect(source, Window("---^--!")).ToBe("----c-")
		m.Expect(source, Window("--^-!")).ToBe("--b--")
		m.Expect(source, Window("---- ---- ^")).ToBe("--------|")
		m.ExpectSubscriptions(source).ToBe("^-----!", "--^-!", "---^--!", "--------(^!)")
	})
}

func TestHotThatHasFailed(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Hot("a-#")
		m.Expect(source, Window("----^")).ToBe("----#")
	})
}

// A subscriber in the test itself sees what comes before the ^.
func TestHotBeforeFrameZero(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Hot("a-b^c|")
		var seen []any
		done := source.ForEach(func(v any) { seen = append(seen, v) }, func(error) {}, func() {})
		m.Expect(source).ToBe("-c|")
		m.ExpectSubscriptions(source).ToBe("^-!", "^-!")
		m.Flush()
		<-done
		if len(seen) != 3 {
			m.Errorf("saw %v, want a, b, c", seen)
		}
	})
}

func TestColdBeginsForEach(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Cold("a-b|")
		m.Expect(source).ToBe("a-b|")
		m.Expect(source, Window("--^")).ToBe("--a-b|")
		m.Expect(source, Window("^-!")).ToBe("a")
		m.ExpectSubscriptions(source).ToBe("^--!", "--^--!", "^-!")
		m.ExpectSubscriptions(m.Cold("a")).ToBe()
	})
}

func TestColdThatIsMadeOnTheWay(t *testing.T) {
	Test(t, func(m *M) {
		outer := m.Hot("a---b---|")
		m.Expect(outer.FlatMap(func(item rxgo.Item) rxgo.Observable {
			return m.Cold("-(" + item.V.(string) + "x|)")
		})).ToBe("-(ax)[bx]---|")
	})
}

func TestTimeAndFrame(t *testing.T) {
	Test(t, func(m *M) {
		m.Frame(time.Second)
		if got := m.Time("--- 500ms |"); got != 3500*time.Millisecond {
			m.Errorf("got %v", got)
		}
		start := time.Now()
		m.Expect(m.Hot("--a|")).ToBe("--a|")
		m.Flush()
		if got := time.Since(start); got != 3*time.Second {
			m.Errorf("it took %v, want 3s", got)
		}
	})
}

// At one instant: first subscriptions, then calls, then what is emitted, in the order made.
func TestOrderAtAnInstant(t *testing.T) {
	Test(t, func(m *M) {
		var order []string
		note := func(what string) func(any) { return func(v any) { order = append(order, what+v.(string)) } }
		ctx, cancel := context.WithCancel(m.Context())
		second, first := m.Hot("--b"), m.Hot("--a")
		m.At(m.Time("--|"), func() {
			first.DoOnNext(note("first "), rxgo.WithContext(ctx))
			second.DoOnNext(note("second "), rxgo.WithContext(ctx))
		})
		m.At(m.Time("---|"), cancel)
		m.Expect(first, Window("--^-!")).ToBe("--a")
		m.Flush()
		if len(order) != 2 || order[0] != "second b" || order[1] != "first a" {
			m.Errorf("order %q", order)
		}
	})
}

func TestErrors(t *testing.T) {
	failed := errors.New("failed")
	Test(t, func(m *M) {
		source := m.Hot("a-#", Values{"#": failed})
		m.Expect(source).ToBe("a-#", Values{"#": failed})
		m.Expect(source.Map(func(_ context.Context, v any) (any, error) {
			return nil, errors.Join(failed, errors.New("and more"))
		})).ToBe("#", Values{"#": failed})
		m.Expect(m.Hot("a-#")).ToBe("a-#")
		m.Expect(m.Hot("a-#", Values{"a": failed, "#": failed}), ErrorsAsValues()).
			ToBe("e-(e|)", Values{"e": failed})
	})
}

func TestToEqual(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Hot("a-b-c|", Values{"a": 1, "b": 2, "c": 3})
		m.Expect(source.Filter(below(3)).Map(identity)).ToEqual(m.Cold("a-b--|", Values{"a": 1, "b": 2}))
	})
}

func identity(_ context.Context, v any) (any, error) { return v, nil }

func TestAnyOrder(t *testing.T) {
	Test(t, func(m *M) {
		m.Expect(m.Hot("-(ab)-c|"), AnyOrder()).ToBe("-(ba)-c|")
		m.Expect(m.Hot("-(aab|)"), AnyOrder()).ToBe("-(aba|)")
	})
}

// RxGo's own stages are goroutines: each event is through all of them before the next.
func TestStagesOfRxGo(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Hot("(abc)-d|", Values{"a": 1, "b": 2, "c": 3, "d": 4})
		sum := func(_ context.Context, acc, v any) (any, error) {
			if acc == nil {
				return v, nil
			}
			return acc.(int) + v.(int), nil
		}
		m.Expect(source.Scan(sum).Skip(1).Scan(sum)).
			ToBe("(bc)--d|", Values{"b": 3, "c": 9, "d": 19})
	})
}

func TestSingles(t *testing.T) {
	Test(t, func(m *M) {
		m.Expect(m.Hot("a-b|").Count()).ToBe("---(n|)", Values{"n": int64(2)})
	})
}

// A window is how one looks at what never ends.
func TestWhatNeverEnds(t *testing.T) {
	Test(t, func(m *M) {
		ticks := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(2 * time.Millisecond):
					rxgo.Of("t").SendContext(ctx, next)
				}
			}
		}})
		m.Expect(ticks, Window("^------!")).ToBe("--t-t-t")
	})
}

// A pipeline may subscribe for ever; the test still ends.
func TestSubscriptionsForEver(t *testing.T) {
	Test(t, func(m *M) {
		inner := m.Cold("-a|")
		again := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
			for ctx.Err() == nil {
				for item := range inner.Observe(rxgo.WithContext(ctx)) {
					item.SendContext(ctx, next)
				}
			}
		}})
		m.Expect(again, Window("^-----!")).ToBe("-a-a-a")
	})
}

func TestDiagramOfASource(t *testing.T) {
	Test(t, func(m *M) {
		source := m.Cold("-a|", Values{"a": 5})
		m.Expect(source).ToBe("-a|", Values{"a": 5})
		if e := source.Diagram().Events[0]; e.At != time.Millisecond || e.Value != 5 || source.String() != "cold -a|" {
			m.Errorf("%v: %v", source, e)
		}
	})
}
