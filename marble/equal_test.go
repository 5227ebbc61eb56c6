package marble

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/reactivex/rxgo/v2"
)

func TestEqualities(t *testing.T) {
	zone := time.FixedZone("", 3600)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		want, got any
		option    Option
	}{
		"NaN is NaN":             {math.NaN(), math.NaN(), nil},
		"NaN in a slice":         {[]float64{math.NaN()}, []float64{math.NaN()}, Compare(cmpopts.EquateNaNs())},
		"a time of another zone": {noon, noon.In(zone), Compare()},
		"a function of one's own": {func() int { return 3 }, func() int { return 3 }, Equal(func(want, got any) bool {
			return want.(func() int)() == got.(func() int)()
		})},
	} {
		t.Run(name, func(t *testing.T) {
			options := []Option{func(*Expectation) {}}
			if test.option != nil {
				mustFail(t, func(m *M) {
					m.Expect(m.Hot("a|", Values{"a": test.got})).ToBe("a|", Values{"a": test.want})
				}, "≠ 0s")
				options[0] = test.option
			}
			Test(t, func(m *M) {
				m.Expect(m.Hot("a|", Values{"a": test.got}), options...).ToBe("a|", Values{"a": test.want})
			})
		})
	}
}

func TestDifferencesOfParts(t *testing.T) {
	type server struct {
		Host string
		port int
	}
	type event struct {
		ID     string
		Server *server
		Slots  []int
		Tags   map[string]int
	}
	mustFail(t, func(m *M) {
		m.Expect(m.Hot("a|", Values{"a": event{"x", &server{"h", 1}, []int{1, 2}, map[string]int{"k": 1}}})).
			ToBe("a|", Values{"a": event{"x", &server{"h", 2}, []int{1, 3}, nil}})
	}, "a and b differ in\n", "  .Server.port: want 2, got 1\n", "  .Slots[1]: want 3, got 2\n", ".Tags: want")
}

// What is compared is what was emitted.
func TestValueThatIsChangedLater(t *testing.T) {
	type part struct{ N int }
	list, deep := []int{1, 2}, map[string]*part{"x": {1}}
	change := func(m *M) { m.At(time.Millisecond, func() { list[0], deep["x"].N = 9, 9 }) }
	reset := func() { list[0], deep["x"].N = 1, 1 }
	Test(t, func(m *M) {
		change(m)
		m.Expect(m.Hot("a-|", Values{"a": list})).ToBe("a-|", Values{"a": []int{1, 2}})
		m.Expect(m.Hot("a-|", Values{"a": deep})).ToBe("a-|", Values{"a": map[string]*part{"x": {1}}})
	})
	reset()
	mustFail(t, func(m *M) {
		change(m)
		m.Expect(m.Hot("a-|", Values{"a": list})).ToBe("a-|", Values{"a": []int{9, 2}})
	}, "[]int([1 2]), emitted at 0s, was changed later: it is []int([9 2]) now")
}

func TestSnapshotLeavesWhatIsNoData(t *testing.T) {
	type withLock struct{ Done chan bool }
	loop := &struct{ Next any }{}
	loop.Next = loop
	for _, v := range []any{errors.New("x"), &withLock{}, make(chan int), (*int)(nil)} {
		if was, _ := snapshot(v); was != v {
			t.Errorf("%T: got a copy", v)
		}
	}
	was, isCopy := snapshot(loop)
	if copied := was.(*struct{ Next any }); !isCopy || copied == loop || copied.Next != was {
		t.Errorf("a value that refers to itself: got %v", was)
	}
}

// Inner observables are compared by what they do.
func TestInnerObservables(t *testing.T) {
	Test(t, func(m *M) {
		outer := m.Hot("-a---b|").Map(func(_ context.Context, v any) (any, error) { return m.Cold("-" + v.(string) + "|"), nil })
		m.Expect(outer).ToBe("-x---y|", Values{"x": m.Cold("-a|"), "y": m.Cold("-b|")})
		m.Expect(outer).ToEqual(outer)
	})
}

func TestInnerObservableThatDiffers(t *testing.T) {
	inner := func(m *M, diagram string) rxgo.Observable {
		return m.Hot("-a|").Map(func(context.Context, any) (any, error) { return m.Cold(diagram), nil })
	}
	for _, diagram := range []string{"-b|", "--a|", "-a-|", "-a#", "-a", ""} {
		mustFail(t, func(m *M) {
			m.Expect(inner(m, diagram)).ToBe("-x|", Values{"x": m.Cold("-a|")})
		}, `x = an observable "-a|"`, "≠ 1ms")
	}
	Test(t, func(m *M) { m.Expect(inner(m, "-a|")).ToBe("-x|", Values{"x": m.Cold("-a|")}) })
}
