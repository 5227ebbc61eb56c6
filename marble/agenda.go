package marble

import (
	"container/heap"
	"sync"
	"time"
)

// The order of what is due at one instant. Sources come last, in the order in which the
// test made them.
const (
	subscriptions = iota
	calls
	firstSource
)

// entry is one thing to do at one time.
type entry struct {
	at   time.Duration // since frame zero
	rank int
	turn int // among entries of one time and rank: the first added goes first
	do   func()
}

// agenda is what a test has still to do, in order. Any goroutine may add an entry. The one
// that drives the test takes it and does it.
type agenda struct {
	mu      sync.Mutex
	zero    time.Time // frame zero, once the time runs
	entries entries
	turns   int
	planned time.Duration // the latest time that the test itself names
	started time.Duration // the latest end of what began before planned
	changed chan struct{}
}

func newAgenda() *agenda { return &agenda{changed: make(chan struct{}, 1)} }

// start starts the time, at the first entry or at frame zero, whichever is earlier.
func (a *agenda) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := time.Duration(0)
	if len(a.entries) > 0 {
		first = min(first, a.entries[0].at)
	}
	a.zero = time.Now().Add(-first)
}

// now is the time since frame zero; zero before the time runs.
func (a *agenda) now() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.since()
}

func (a *agenda) since() time.Duration {
	if a.zero.IsZero() {
		return 0
	}
	return time.Since(a.zero)
}

// plan makes the test last until at.
func (a *agenda) plan(at time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.planned = max(a.planned, at)
}

// begin makes the test last until at, unless its planned time is over. What begins later
// does not: a pipeline may begin things for ever.
func (a *agenda) begin(at time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since() <= a.planned {
		a.started = max(a.started, at)
	}
}

// end is when the test is over.
func (a *agenda) end() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.planned, a.started)
}

func (a *agenda) add(at time.Duration, rank int, do func()) {
	a.mu.Lock()
	a.turns++
	heap.Push(&a.entries, entry{at: at, rank: rank, turn: a.turns, do: do})
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// take returns what is due. over is true when nothing is, and nothing will be.
func (a *agenda) take() (do func(), over bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.entries) > 0 && a.entries[0].at <= a.since() {
		return heap.Pop(&a.entries).(entry).do, false
	}
	return nil, a.wait() <= 0
}

// wait is the time until something is due or the test is over.
func (a *agenda) wait() time.Duration {
	until := max(a.planned, a.started)
	if len(a.entries) > 0 {
		until = min(until, a.entries[0].at)
	}
	return until - a.since()
}

// sleep waits until something is due, the test is over or an entry is added.
func (a *agenda) sleep() {
	a.mu.Lock()
	wait := a.wait()
	a.mu.Unlock()
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.changed:
	}
}

// entries is a heap, the next one to do on top.
type entries []entry

func (e entries) Len() int      { return len(e) }
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e entries) Less(i, j int) bool {
	switch {
	case e[i].at != e[j].at:
		return e[i].at < e[j].at
	case e[i].rank != e[j].rank:
		return e[i].rank < e[j].rank
	default:
		return e[i].turn < e[j].turn
	}
}
func (e *entries) Push(x any) { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
