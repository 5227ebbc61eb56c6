package marble

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// SubscriptionExpectation is about when a source is subscribed.
type SubscriptionExpectation struct {
	m      *M
	source *Source
	where  string
	made   bool
}

// ExpectSubscriptions expects a source to be subscribed, and unsubscribed, at given times.
// It is nothing, and fails the test, without ToBe.
func (m *M) ExpectSubscriptions(source *Source) *SubscriptionExpectation {
	m.Helper()
	m.beforeTheEnd()
	e := &SubscriptionExpectation{m: m, source: source, where: caller()}
	m.addCheck(func() {
		if !e.made {
			m.fail(e.where, "an expectation that was never made: ExpectSubscriptions needs ToBe")
		}
	})
	return e
}

// ToBe expects one subscription for each window: "--^---!" subscribes at frame two and
// unsubscribes at frame six; the end of a source unsubscribes. Without ! it is still
// subscribed when the time of the test is over. No window: no subscription.
func (e *SubscriptionExpectation) ToBe(windows ...string) {
	e.m.Helper()
	if e.made {
		e.m.Fatalf("marble: a second ToBe of one ExpectSubscriptions: each needs its own")
	}
	e.made = true
	want := make([]Diagram, len(windows))
	for i, text := range windows {
		want[i] = e.m.parse(text, windowGrammar, nil)
		if len(want[i].Events) == 0 || want[i].Events[0].Kind != Subscribed {
			e.m.Fatalf("%v", &SyntaxError{text, 1, "a subscription without ^, where it begins"})
		}
		e.m.agenda.plan(want[i].End)
	}
	e.m.addCheck(func() { e.compare(want) })
}

func (e *SubscriptionExpectation) compare(want []Diagram) {
	got := e.source.windows()
	slices.SortStableFunc(want, byTime)
	slices.SortStableFunc(got, byTime)
	if !slices.EqualFunc(want, got, func(w, g Diagram) bool { return slices.Equal(w.Events, g.Events) }) {
		e.m.fail(e.where, "not the subscriptions that were expected of %q\n%s", e.source, explainWindows(want, got))
	}
}

// byTime orders subscriptions by their beginning, then by their end.
func byTime(a, b Diagram) int {
	return slices.CompareFunc(a.Events, b.Events, func(x, y Event) int { return cmp.Compare(x.At, y.At) })
}

// Subscription is when somebody was subscribed to a source, since frame zero.
type Subscription struct {
	From, To time.Duration
	Open     bool // it had not ended when the time of the test was over, or has not so far; To is zero
	Lost     int  // how many values found the subscriber's queue full
}

// Subscriptions are all there have been so far, in the order in which they began.
func (s *Source) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Subscription, len(s.subscriptions))
	for i, sub := range s.subscriptions {
		all[i] = Subscription{From: sub.from, Open: sub.open || !sub.over, Lost: int(sub.lost.Load())}
		if !all[i].Open {
			all[i].To = sub.to
		}
	}
	return all
}

// windows has each subscription as it was when the time of the test was over.
func (s *Source) windows() []Diagram {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Diagram
	for _, sub := range s.subscriptions {
		d := Diagram{Frame: s.m.frame, Events: []Event{{At: sub.from, Kind: Subscribed, Letter: "^"}}, End: sub.from}
		if !sub.open {
			d.Events = append(d.Events, Event{At: sub.to, Kind: Unsubscribed, Letter: "!"})
			d.End = sub.to
		}
		all = append(all, d)
	}
	return all
}

// explainWindows writes the subscriptions that were wanted and those that were got.
func explainWindows(want, got []Diagram) string {
	lines, _ := align(slices.Concat(want, got)...)
	all := slices.Concat(listed("want", lines[:len(want)]), listed("got", lines[len(want):]))
	return "\n    " + strings.Join(all, "\n    ") + "\n"
}

// listed names the first of some lines.
func listed(name string, lines []string) []string {
	if len(lines) == 0 {
		lines = []string{"none"}
	}
	names := make([]string, len(lines))
	names[0] = name
	return labelled(names, lines)
}
