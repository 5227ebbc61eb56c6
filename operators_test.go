package rover_test

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// A row is a test of an operator: what goes in, and who is subscribed to it
// from when to when; what comes out to an observer.
type row struct {
	name   string
	in     []string // hot, but for MergeMap's inner ones
	subs   []string // to each of in; several to one are parted by commas
	window string   // the observer's; default: for good
	out    string
}

// An operator is what a row tests, of its sources.
type operator func(in []rxgo.Observable) rxgo.Observable

func (r row) test(t *testing.T, op operator, values marble.Values) {
	t.Run(r.name, func(t *testing.T) {
		marble.Test(t, func(m *marble.M) {
			var in []rxgo.Observable
			for i, diagram := range r.in {
				source := m.Hot(diagram)
				in = append(in, source)
				m.ExpectSubscriptions(source).ToBe(r.subs[i])
			}
			m.Expect(op(in), marble.Window(r.window)).ToBe(r.out, values)
		})
	})
}

func TestWithLatestFrom(t *testing.T) {
	pairs := marble.Values{"A": "ax", "B": "bx", "C": "cx", "D": "dx", "K": "ay", "L": "by", "M": "cy", "N": "dy"}
	for _, r := range []row{
		{"an item for each of the source", []string{"-a-b-c-d-|", "x-y---x----|"}, []string{"^--------!", "^--------!"}, "", "-A-L-M-D-|"},
		{"nothing before the other has emitted", []string{"a-b-c-d|", "---x----"}, []string{"^------!", "^------!"}, "", "----C-D|"},
		{"nothing at all from an other that is silent", []string{"abcd|", "-----"}, []string{"^---!", "^---!"}, "", "----|"},
		{"an other that completes stays", []string{"-a-b|", "x|"}, []string{"^---!", "^!"}, "", "-A-B|"},
		{"an other that completes empty", []string{"-a-b|", "|"}, []string{"^---!", "(^!)"}, "", "----|"},
		{"an other that fails ends it", []string{"-a--b-c|", "x-#"}, []string{"^-!", "^-!"}, "", "-A#"},
		{"a source that fails", []string{"-a-#", "x------"}, []string{"^--!", "^--!"}, "", "-A-#"},
		{"at one instant, the source first", []string{"-a-b|", "x-y-y"}, []string{"^---!", "^---!"}, "", "-A-L|"},
		{"at one instant, the other second", []string{"ab|", "xy"}, []string{"^-!", "^-!"}, "", "-B|"},
		{"who leaves, leaves both", []string{"-a-b-c-", "x------"}, []string{"^---!", "^---!"}, "^---!", "-A-B"},
		{"who comes late has missed what was", []string{"-a-b-c-d|", "x---y-x-"}, []string{"--^-----!", "--^-----!"}, "--^", "-----M-D|"},
	} {
		r.test(t, func(in []rxgo.Observable) rxgo.Observable {
			return rover.WithLatestFrom(in[0], in[1], func(_ context.Context, item, latest any) (any, error) {
				return item.(string) + latest.(string), nil
			})
		}, pairs)
	}
}

func TestWithLatestFromWhoseCombineFails(t *testing.T) {
	row{"", []string{"-a-b|", "x--"}, []string{"^--!", "^--!"}, "", "-a-#"}.test(t, func(in []rxgo.Observable) rxgo.Observable {
		return rover.WithLatestFrom(in[0], in[1], func(_ context.Context, item, _ any) (any, error) {
			if item == "b" {
				return nil, kit.ErrOdd
			}
			return item, nil
		})
	}, marble.Values{"a": "a", "#": kit.ErrOdd})
}

func TestMerge(t *testing.T) {
	for _, r := range []row{
		{"as it comes", []string{"a--b--|", "-x--y|"}, []string{"^-----!", "^----!"}, "", "ax-by-|"},
		{"in order at one instant", []string{"-a|", "-b|", "-c|"}, []string{"^-!", "^-!", "^-!"}, "", "-[abc]-|"},
		{"one goes on when the other has ended", []string{"a|", "-----x|"}, []string{"^!", "^-----!"}, "", "a----x|"},
		{"nothing to merge", nil, nil, "", "|"},
		{"an error ends all", []string{"a--b--|", "--#"}, []string{"^-!", "^-!"}, "", "a-#"},
		{"who leaves, leaves all", []string{"a--b--", "-x--y-"}, []string{"^--!", "^--!"}, "^--!", "ax-"},
	} {
		r.test(t, func(in []rxgo.Observable) rxgo.Observable { return rover.Merge(in) }, nil)
	}
}

func TestTakeUntil(t *testing.T) {
	for _, r := range []row{
		{"the first item of the notifier", []string{"a-b-c-d|", "---n--n"}, []string{"^--!", "^--!"}, "", "a-b|"},
		{"a notifier that completes has no say", []string{"a-b-c|", "-|"}, []string{"^----!", "^!"}, "", "a-b-c|"},
		{"a notifier that fails", []string{"a-b-c|", "---#"}, []string{"^--!", "^--!"}, "", "a-b#"},
		{"a source that completes", []string{"a-|", "-----n"}, []string{"^-!", "^-!"}, "", "a-|"},
		{"a source that fails", []string{"a-#", "-----n"}, []string{"^-!", "^-!"}, "", "a-#"},
		{"at one instant, the source first", []string{"a-b-c|", "--n"}, []string{"^-!", "^-!"}, "", "a-(b|)"},
		{"who leaves, leaves both", []string{"a-b-c|", "-----n"}, []string{"^--!", "^--!"}, "^--!", "a-b"},
	} {
		r.test(t, func(in []rxgo.Observable) rxgo.Observable { return rover.TakeUntil(in[0], in[1]) }, nil)
	}
	row{"at one instant, the notifier first", []string{"--n", "a-b-c|"}, []string{"^-!", "^-!"}, "", "a-|"}.test(t,
		func(in []rxgo.Observable) rxgo.Observable { return rover.TakeUntil(in[1], in[0]) }, nil)
}

// The inner sources are cold: they begin when they are subscribed to.
func TestMergeMap(t *testing.T) {
	inner := []string{"x-x-x|", "yy|", "z-|", "--#"}
	for _, test := range []struct {
		name        string
		n           int
		source      string // each letter observes an inner source: a the first …
		subs        string // to source
		innerSubs   [4][]string
		window, out string
	}{
		{"as it comes", 0, "ab|", "^-!", [4][]string{{"^----!"}, {"-^-!"}}, "", "xy[xy]--x|"},
		{"the same again", 0, "a-a---|", "^-----!", [4][]string{{"^----!", "--^----!"}}, "", "x-[xx]--[xx]--x|"},
		{"two at once", 2, "abc---|", "^-----!", [4][]string{{"^----!"}, {"-^-!"}, {"---^-!"}}, "", "xy[xy]-zx-|"},
		{"one after the other", 1, "(ab|)", "(^!)", [4][]string{{"^----!"}, {"-----^-!"}}, "", "x-x-xyy|"},
		{"no limit", -1, "(abc|)", "(^!)", [4][]string{{"^----!"}, {"^-!"}, {"^-!"}}, "", "[xyz]-yx-x|"},
		{"nothing to map", 2, "---|", "^--!", [4][]string{}, "", "---|"},
		{"waits for the last", 0, "a|", "^!", [4][]string{{"^----!"}}, "", "x-x-x|"},
		{"an inner error ends all", 0, "ad----", "^--!", [4][]string{{"^--!"}, nil, nil, {"-^-!"}}, "", "x-x#"},
		{"an outer error ends all", 0, "a--#", "^--!", [4][]string{{"^--!"}}, "", "x-x#"},
		{"who leaves, leaves all", 0, "ab----", "^--!", [4][]string{{"^--!"}, {"-^-!"}}, "^--!", "xy[xy]-"},
		{"who leaves while some wait", 1, "aab---", "^--!", [4][]string{{"^--!"}}, "^--!", "x-x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				source := m.Hot(test.source)
				m.ExpectSubscriptions(source).ToBe(test.subs)
				to := map[any]rxgo.Observable{}
				for i, diagram := range inner {
					cold := m.Cold(diagram)
					to[string(rune('a'+i))] = cold
					m.ExpectSubscriptions(cold).ToBe(test.innerSubs[i]...)
				}
				merged := rover.MergeMap(source, test.n, func(item rxgo.Item) rxgo.Observable { return to[item.V] })
				m.Expect(merged, marble.Window(test.window), marble.AnyOrder()).ToBe(test.out)
			})
		})
	}
}

// While n are observed, the source is not read: what it says waits in its queue,
// and overflows there.
func TestMergeMapReadsNoMoreThanItCanUse(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		lost := hot.NewSubject()
		source := hot.NewSubject(hot.WithQueue(1), hot.WithDropped(func(v any) { lost.Publish(v) }))
		for i, letter := range []string{"a", "b", "c", "d", "e"} {
			m.At(time.Duration(i)*m.Time("-|"), func() { source.Publish(letter) })
		}
		m.At(m.Time("-----|"), source.Complete)
		inner := m.Cold("---z|")
		m.Expect(rover.MergeMap(source.Observable(), 2, func(rxgo.Item) rxgo.Observable { return inner })).ToBe("---zz--z|")
		m.ExpectSubscriptions(inner).ToBe("^---!", "-^---!", "----^---!")
		m.Expect(lost.Observable(), marble.Window("^------!")).ToBe("---de")
	})
}

// Share subscribes for its first observer and leaves with its last one.
func TestShare(t *testing.T) {
	for name, test := range map[string]struct {
		source  string
		subs    []string
		windows map[string]string // of observers, and what they see
	}{
		"two at once": {"-a-b-c|", []string{"^-----!"}, map[string]string{
			"^": "-a-b-c|", "^ ": "-a-b-c|"}},
		"one comes late and gets what follows": {"-a-b-c|", []string{"^-----!"}, map[string]string{
			"^": "-a-b-c|", "--^": "---b-c|"}},
		"one leaves, the other stays": {"-a-b-c|", []string{"^-----!"}, map[string]string{
			"^": "-a-b-c|", "^-!": "-a"}},
		"the last leaves": {"-a-b-c|", []string{"^---!"}, map[string]string{
			"^-!": "-a", "-^--!": "-a-b"}},
		"one comes when all have left: anew": {"-a-b-c|", []string{"^-!", "----^-----!"}, map[string]string{
			"^-!": "-a", "----^": "-----a-b-c|"}},
		"one comes after the end: anew": {"-a|", []string{"^-!", "----^-!"}, map[string]string{
			"^": "-a|", "----^": "-----a|"}},
		"the end": {"|", []string{"(^!)"}, map[string]string{
			"^": "|"}},
		"an error is everyone's": {"-a-#", []string{"^--!"}, map[string]string{
			"^": "-a-#", "--^": "---#"}},
		"one comes after the error: anew": {"-#", []string{"^!", "---^!"}, map[string]string{
			"^": "-#", "---^": "----#"}},
	} {
		t.Run(name, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				source := m.Cold(test.source)
				shared := rover.Share(source)
				for window, want := range test.windows {
					m.Expect(shared, marble.Window(window)).ToBe(want)
				}
				m.ExpectSubscriptions(source).ToBe(test.subs...)
			})
		})
	}
}

// A sharer that has not read to the end does not keep others from a new start.
func TestShareStartsAnewWhileOneStillReads(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		source := m.Cold("-ab|")
		shared := rover.Share(source)
		ctx, cancel := context.WithCancel(m.Context())
		m.At(0, func() { shared.Observe(rxgo.WithContext(ctx)) })
		m.Expect(shared, marble.Window("-----^")).ToBe("------ab|")
		m.ExpectSubscriptions(source).ToBe("^--!", "-----^--!")
		m.At(m.Time("---------|"), cancel)
	})
}

// A sharer that does not read loses what its queue does not hold; the others
// and the source lose nothing.
func TestShareWaitsForNobody(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		source := m.Hot("abcdefgh|")
		shared := rover.Share(source)
		ctx, cancel := context.WithCancel(m.Context())
		m.At(0, func() { shared.Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(2)) })
		m.Expect(shared).ToBe("abcdefgh|")
		m.ExpectSubscriptions(source).ToBe("^-------!")
		m.At(m.Time("---------|"), cancel)
	})
}

func TestPartition(t *testing.T) {
	for _, r := range []struct{ in, vowels, rest string }{
		{"-a-b-c-e-|", "-a-----e-|", "---b-c---|"},
		{"-b-c|", "----|", "-b-c|"},
		{"|", "|", "|"},
		{"-a-b-#", "-a---#", "---b-#"},
	} {
		t.Run(r.in, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				source := m.Hot(r.in)
				vowels, rest := rover.Partition(source, func(v any) bool { return v == "a" || v == "e" })
				m.Expect(vowels).ToBe(r.vowels)
				m.Expect(rest).ToBe(r.rest)
			})
		})
	}
}

// numbers has capital letters for Interval's numbers: A is 0.
var numbers = marble.Values{"A": 0, "B": 1, "C": 2, "D": 3, "E": 4, "F": 5, "G": 6, "H": 7}

func TestInterval(t *testing.T) {
	for name, test := range map[string]struct{ every, window, out string }{
		"at once, then on the beat":      {"--|", "^------!", "A-B-C-D"},
		"from when somebody subscribes":  {"---|", "-^-------!", "-A--B--C"},
		"one who leaves before the beat": {"-----|", "^---!", "A---"},
	} {
		t.Run(name, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				interval := rover.Interval(m.Time(test.every))
				m.Expect(interval, marble.Window(test.window)).ToBe(test.out, numbers)
				m.Expect(interval.Take(2), marble.Window("-----^")).ToBe("-----A"+test.every[1:len(test.every)-1]+"(B|)", numbers)
			})
		})
	}
}

// A slow subscriber misses beats, and what it gets stays on the beat.
func TestIntervalOfASlowSubscriber(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		frame := m.Time("-|")
		slow := rover.Interval(2 * frame).Map(func(_ context.Context, v any) (any, error) {
			if v == 1 {
				time.Sleep(5 * frame) // from 2 to 7: one beat waits, that of 6 is missed
			}
			return v, nil
		})
		m.Expect(slow, marble.Window("^----------!")).ToBe("A------[BC]-D-E", numbers)
	})
}

// Events is a loop; what it sees is published to be seen as a diagram.
func TestEvents(t *testing.T) {
	for name, test := range map[string]struct{ source, subs, out string }{
		"until the end":          {"-a-b-|", "^----!", "-a-b-|"},
		"an error":               {"-a-#", "^--!", "-a-(x|)"},
		"what is no string":      {"-a-7-b|", "^-----!", "-a-x-b|"},
		"a loop that breaks off": {"-a-q-b|", "^--!", "-a-|"},
		"a context that ends":    {"-a-b-----c|", "^-------!", "-a-b----|"},
	} {
		t.Run(name, func(t *testing.T) {
			marble.Test(t, func(m *marble.M) {
				source := m.Hot(test.source, marble.Values{"a": "a", "b": "b", "c": "c", "q": "q", "7": 7})
				seen := hot.NewSubject()
				ctx, cancel := context.WithTimeout(m.Context(), m.Time("--------|"))
				m.At(0, func() {
					defer cancel()
					defer seen.Complete()
					for v, err := range rover.Events[string](ctx, source) {
						switch {
						case err != nil:
							seen.Publish("x")
						case v == "q":
							return
						default:
							seen.Publish(v)
						}
					}
				})
				m.Expect(seen.Observable()).ToBe(test.out, marble.Values{"a": "a", "b": "b", "x": "x"})
				m.ExpectSubscriptions(source).ToBe(test.subs)
			})
		})
	}
}

// Events subscribes when it is made, not when its loop begins, and leaves with its
// context if there is no loop.
func TestEventsSubscribesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		source := hot.NewSubject()
		loop, unused := rover.Events[int](ctx, source.Observable()), rover.Events[int](ctx, source.Observable())
		source.Publish(1)
		source.Publish(2)
		var got []int
		for n, err := range loop {
			if got = append(got, n); err != nil || n == 2 {
				break
			}
		}
		if !slices.Equal(got, []int{1, 2}) {
			t.Errorf("got %v", got)
		}
		if n := source.Subscribers(); n != 1 {
			t.Errorf("%d subscribers behind the loop, want the unused one", n)
		}
		cancel()
		synctest.Wait()
		if n := source.Subscribers(); n != 0 {
			t.Errorf("%d subscribers are left", n)
		}
		for n, err := range unused {
			t.Error(n, err)
		}
	})
}

// A subscriber's buffer is the size of its queue.
func TestSharesQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, wrap := range map[string]func(rxgo.Observable) rxgo.Observable{
			"Subject": func(o rxgo.Observable) rxgo.Observable { return o },
			"Share":   func(o rxgo.Observable) rxgo.Observable { return rover.Share(o) },
		} {
			source := hot.NewSubject(hot.WithQueue(2000))
			n := 0
			free := make(chan struct{})
			done := wrap(source.Observable()).ForEach(func(any) { <-free; n++ }, nil, func() {}, rxgo.WithBufferedChannel(1000))
			for i := range 500 {
				source.Publish(i)
				synctest.Wait()
			}
			source.Complete()
			close(free)
			<-done
			if n != 500 {
				t.Errorf("%s: %d of 500", name, n)
			}
		}
	})
}

// All operators wait for their goroutines.
func TestOperatorsWait(t *testing.T) {
	for name, apply := range map[string]func(a, b rxgo.Observable) rxgo.Observable{
		"TakeUntil's source":   func(a, b rxgo.Observable) rxgo.Observable { return rover.TakeUntil(b, a) },
		"TakeUntil's notifier": func(a, b rxgo.Observable) rxgo.Observable { return rover.TakeUntil(a, b) },
		"Merge":                func(a, b rxgo.Observable) rxgo.Observable { return rover.Merge([]rxgo.Observable{a, b}) },
		"Share":                func(a, b rxgo.Observable) rxgo.Observable { return rover.Share(rover.Merge([]rxgo.Observable{a, b})) },
		"WithLatestFrom": func(a, b rxgo.Observable) rxgo.Observable {
			return rover.WithLatestFrom(a, b, func(_ context.Context, a, _ any) (any, error) { return a, nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left atomic.Bool
				slow := hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
					return func(yield func(rxgo.Item) bool) {
						if name == "WithLatestFrom" {
							yield(rxgo.Of(0))
						}
						<-ctx.Done()
						time.Sleep(time.Second) // what it has to do yet
						left.Store(true)
					}
				}, nil)
				ticks := rover.Interval(time.Second)
				if name == "TakeUntil's source" {
					ticks = ticks.Skip(1)
				}
				<-apply(ticks, slow).Take(2).Run()
				if !left.Load() {
					t.Error("done before its source has been left")
				}
				time.Sleep(time.Minute)
			})
		})
	}
}
