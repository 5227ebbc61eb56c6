package marble

import (
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
	e := &Expectation{m: m, where: where}
	for _, option := range options {
		option(e)
	}
	e.got = e.observe(o)
	m.addCheck(func() {
		if !e.made {
			m.Errorf("marble: %s: an expectation that was never made: Expect needs ToBe or ToEqual", e.where)
		}
	})
	return e
}

// ToBe expects what a diagram says, and nothing else. Values are as for M.Hot. Times are
// since frame zero, whatever the window.
//
// Values are equal if reflect.DeepEqual says so; an error is the expected one if errors.Is
// says so.
func (e *Expectation) ToBe(diagram string, values ...Values) {
	e.m.Helper()
	e.make()
	all := merged(values)
	want := e.m.parse(diagram, plainGrammar, values)
	e.m.agenda.plan(want.End)
	e.m.addCheck(func() { e.compare(want, all) })
}

// ToEqual expects what another observable does, value by value and time by time.
func (e *Expectation) ToEqual(other rxgo.Iterable) {
	e.m.Helper()
	e.make()
	want := e.observe(other)
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
	e.m.Helper()
	got := e.got.diagram()
	if failure := explain(want, got, values, e.anyOrder); failure != "" {
		e.m.Errorf("marble: %s: not what was expected\n%s", e.where, failure)
	}
}
