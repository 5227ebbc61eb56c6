package marble

import (
	"maps"
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// Option changes how an expectation observes or compares.
type Option func(*Expectation)

// Window subscribes and unsubscribes as a diagram says: "--^---!" subscribes at frame two
// and unsubscribes at frame six. Without ^ it subscribes at frame zero; without ! it stays.
// Without a window an expectation subscribes at frame zero and stays.
func Window(diagram string) Option {
	return func(e *Expectation) {
		e.m.Helper()
		e.window = e.m.parse(diagram, windowGrammar, nil)
	}
}

// AnyOrder compares what happens at one instant as a set: for producers that run at the
// same time, between which there is no order.
func AnyOrder() Option { return func(e *Expectation) { e.anyOrder = true } }

// ErrorsAsValues takes errors for values, which do not end a stream: for pipelines with
// rxgo.ContinueOnError. A letter stands for the error then.
func ErrorsAsValues() Option { return func(e *Expectation) { e.errorsAsValues = true } }

// Expectation observes something; ToBe or ToEqual says what it should see.
type Expectation struct {
	m              *M
	where          string
	window         Diagram
	anyOrder       bool
	errorsAsValues bool
	equality       equality
	got            *recording
	made           bool
}

// Expect observes o, an rxgo.Observable or a single, from frame zero on. It is nothing,
// and fails the test, without ToBe or ToEqual.
func (m *M) Expect(o rxgo.Iterable, options ...Option) *Expectation {
	m.Helper()
	return m.expect(o, caller(), options)
}

func (m *M) expect(o rxgo.Iterable, where string, options []Option) *Expectation {
	m.Helper()
	m.beforeTheEnd()
	e := &Expectation{m: m, where: where, equality: byDefault}
	for _, option := range options {
		option(e)
	}
	e.got = e.observe(o)
	m.addCheck(func() {
		if !e.made {
			m.fail(e.where, "an expectation that was never made: Expect needs ToBe or ToEqual")
		}
	})
	return e
}

// ToBe expects what a diagram says, and nothing else. Values are as for M.Hot. Times are
// since frame zero, whatever the window.
//
// Values are equal if reflect.DeepEqual says so, and NaN is NaN; Equal and Compare change
// that. An error is the expected one if errors.Is says so. What is compared is what was
// emitted: data is copied when it comes, so that a later change of it is seen for what it is.
//
// A value that is a cold source, as in Values{"x": m.Cold("-a|")}, stands for an inner
// observable that does what the source's diagram says, from when it was emitted on. It is
// subscribed then, as RxJS does it.
func (e *Expectation) ToBe(diagram string, values ...Values) {
	e.m.Helper()
	e.make()
	all := merged(values)
	want := e.m.parse(diagram, plainGrammar, values)
	e.m.agenda.plan(want.End)
	if hasInner(all) {
		e.got.inner = true
		for _, event := range want.Events {
			if inner, ok := innerDiagram(event.Value); ok {
				e.m.agenda.plan(event.At + inner.End)
			}
		}
	}
	e.m.addCheck(func() { e.compare(want, all) })
}

// ToEqual expects what another observable does, value by value and time by time, and inner
// observables by what they do. It subscribes both alike.
func (e *Expectation) ToEqual(other rxgo.Iterable) {
	e.m.Helper()
	e.make()
	want := e.observe(other)
	e.got.inner, want.inner = true, true
	e.m.addCheck(func() { e.compare(want.diagram(), nil) })
}

func (e *Expectation) make() {
	e.m.Helper()
	if e.made {
		e.m.Fatalf("marble: a second ToBe of one Expect: each needs an Expect of its own")
	}
	e.made = true
}

func (e *Expectation) compare(want Diagram, values Values) {
	got := e.got.diagram()
	failure := explanation{equality: e.equality, anyOrder: e.anyOrder, values: values}.of(want, got)
	if failure == "" {
		return
	}
	for _, line := range slices.Concat(e.got.changed(), e.m.overflowed()) {
		failure += "\n    " + line
	}
	e.m.fail(e.where, "not what was expected\n%s", failure)
}

func merged(values []Values) Values {
	all := Values{}
	for _, v := range values {
		maps.Copy(all, v)
	}
	return all
}
