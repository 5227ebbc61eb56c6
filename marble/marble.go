package marble

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Test runs f in a synctest bubble, where time is virtual, and then lets the time of its
// diagrams pass and checks what f expected.
//
// Besides an expectation that does not hold, it fails on what else would pass unseen: no
// expectation at all, one without a ToBe, values after the end, a subscription to a source
// that is still open when its observer has ended or the test is over, a goroutine that is
// left in the bubble. A goroutine that ends with the test's context (TB.Context) or in a
// TB.Cleanup is not left.
func Test(t *testing.T, f func(m *M)) {
	t.Helper()
	where, number := caller(), ""
	defer func() {
		failure := recover()
		if failure == nil {
			return
		}
		if !strings.HasPrefix(fmt.Sprint(failure), "deadlock: ") || number == "" {
			panic(failure)
		}
		left := goroutinesOf(number)
		if strings.Contains(fmt.Sprint(failure), "has exited") {
			fail(t, where, "goroutines left in the bubble: %s", left)
		} else {
			fail(t, where, "the test waits for what never comes; the goroutines in the bubble: %s", left)
		}
		t.FailNow()
	}()
	synctest.Test(t, func(t *testing.T) {
		number = bubble()
		run(t, f)
	})
}

// run is Test within a bubble. Failures go to t, which need not be a *testing.T.
func run(t testing.TB, f func(m *M)) {
	m := &M{TB: t, frame: DefaultFrame, agenda: newAgenda()}
	t.Cleanup(m.release) // registered first: runs last
	f(m)
	if !m.flushed {
		m.Flush()
	}
}

// M is a test in virtual time: the bubble's testing.TB, and the sources and expectations
// of the test. Frame zero is when f has returned, or has called Flush.
type M struct {
	testing.TB
	frame   time.Duration
	agenda  *agenda
	flushed bool
	over    bool // its time has passed

	mu         sync.Mutex
	parsed     bool // a diagram was read
	sources    []*Source
	recordings []*recording
	checks     []func()
}

// Frame sets how long a character of a diagram lasts: longer than zero; 1 ms by default.
// It comes before the first diagram.
func (m *M) Frame(d time.Duration) {
	m.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case d <= 0:
		m.Fatalf("marble: a frame of %v: it must be longer than zero", d)
	case m.parsed:
		m.Fatalf("marble: a diagram was read already: Frame comes before the first")
	}
	m.frame = d
}

// Hot makes a source that runs with or without subscribers. They share it, and miss what
// came before they subscribed. A ^ in the diagram is frame zero, when
// expectations subscribe. Subscribing is synchronous.
//
// The values of several maps count, the later map's first. Without any value for a letter,
// each letter is its own value, a string; a # is the error that Values has for "#", or
// ErrFailed.
func (m *M) Hot(diagram string, values ...Values) *Source {
	m.Helper()
	s := m.newSource(diagram, hotGrammar, values)
	m.agenda.plan(s.diagram.End)
	s.play(hotSources, 0, s.emitToAll)
	return s
}

// Cold makes a source that begins anew for each subscriber, when it subscribes.
// Values are as for Hot.
func (m *M) Cold(diagram string, values ...Values) *Source {
	m.Helper()
	return m.newSource(diagram, plainGrammar, values)
}

// Time is the time up to the | of a diagram that has no other event: "---|" is three frames.
func (m *M) Time(diagram string) time.Duration {
	m.Helper()
	d := m.parse(diagram, timeGrammar, nil)
	if !d.ended() {
		m.Fatalf("%v", &SyntaxError{diagram, max(1, len(characters(diagram))), "a time ends with |"})
	}
	return d.End
}

// At calls f at a time since frame zero, after the expectations that subscribe then and
// before the sources that emit then. f has a goroutine of its own, so it may wait for what
// sources emit.
func (m *M) At(d time.Duration, f func()) {
	m.agenda.plan(d)
	m.agenda.once(d, calls, func() { go f() })
}

// Flush lets the time of all diagrams pass, and checks all expectations. The code after it
// runs when all is over. Test calls Flush if f has not.
//
// What happens at one instant has an order, always the same and the same as in RxJS's
// TestScheduler: expectations subscribe and unsubscribe, as they were made; At's functions
// run; hot sources emit, as they were made; cold ones emit, as they were subscribed. Each
// value goes to one subscriber, then to the next, and after each of these steps every
// goroutine of the bubble has run until it waits. Only the pipeline's own timers are not in
// that order: those that are due come before all of this, as the bubble has it.
//
// The time passes until the last event of sources, expectations, windows and At. If an
// expected observable neither ends nor has a window, as much time passes again, for values
// that should not come.
func (m *M) Flush() {
	m.Helper()
	if m.flushed {
		m.Fatalf("marble: Flush was called twice: the time of a test passes once")
	}
	m.flushed = true
	if len(m.checks) == 0 {
		m.Errorf("marble: a test without an expectation: Expect or ExpectSubscriptions makes one")
	}
	m.agenda.start()
	m.pass()
	if m.anyOpen() {
		m.agenda.plan(max(2*m.agenda.end(), m.frame))
		m.pass()
	}
	for _, s := range m.madeSources() {
		s.settle()
	}
	for _, r := range m.madeRecordings() {
		r.leave()
	}
	synctest.Wait()
	m.over = true
	for _, check := range m.checks {
		check()
	}
}

// pass does what is on the agenda, up to its end. Before each step every goroutine has run
// until it waits.
func (m *M) pass() {
	for over := false; !over; over = m.agenda.next() {
		m.agenda.sleep()
		synctest.Wait()
	}
}

func (m *M) anyOpen() bool {
	return slices.ContainsFunc(m.madeRecordings(), (*recording).waits)
}

// release ends all subscriptions that are left.
func (m *M) release() {
	synctest.Wait()
	for _, s := range m.madeSources() {
		s.reportOpen()
		s.release()
	}
}

// madeSources and madeRecordings are those made so far: a pipeline may make more of them.
func (m *M) madeSources() []*Source {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sources
}

func (m *M) madeRecordings() []*recording {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.recordings
}

// overflowed has a line for each subscription to a source that has lost something.
func (m *M) overflowed() (lines []string) {
	for _, s := range m.madeSources() {
		lines = append(lines, s.overflowed()...)
	}
	return lines
}

// fail fails the test, at a line of the test's own.
func (m *M) fail(where, format string, args ...any) { fail(m, where, format, args...) }

func fail(t testing.TB, where, format string, args ...any) {
	fmt.Fprintf(t.Output(), "%s: marble: %s\n", where, fmt.Sprintf(format, args...))
	t.Fail()
}

// parse reads a diagram of the test, or ends the test.
func (m *M) parse(diagram string, g grammar, values []Values) Diagram {
	m.Helper()
	m.mu.Lock()
	m.parsed = true
	m.mu.Unlock()
	d, err := parse(diagram, m.frame, g, merged(values))
	if err != nil {
		m.Fatalf("%v", err)
	}
	return d
}

func (m *M) addCheck(check func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checks = append(m.checks, check)
}

// beforeTheEnd ends a test whose expectation comes after Flush.
func (m *M) beforeTheEnd() {
	m.Helper()
	if m.over {
		m.Fatalf("marble: the time of the test is over: expectations come before Flush")
	}
}

// caller is the line of the test that called a method of this package.
func caller() string {
	_, file, line, _ := runtime.Caller(2)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
