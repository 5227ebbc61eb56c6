package marble

import (
	"container/heap"
	"sync"
	"time"
)

// The order of what is due at one instant, which is RxJS's: expectations, calls, hot
// sources as they were made, cold ones as they were subscribed.
const (
	expectations = iota
	calls
	hotSources
	coldSources
)

// task is something to do, once or again and again.
type task struct {
	at    time.Duration // since frame zero
	phase int
	turn  int // among tasks of one time and phase
	// do does it. more says that it is to be done once more, at the time at, which it has
	// set then.
	do func() (more bool)
}

// agenda is what a test has still to do, in order. Any goroutine may add a task. The one
// that drives the test takes it and does it.
type agenda struct {
	mu      sync.Mutex
	zero    time.Time // frame zero, once the time runs
	tasks   tasks
	turns   int
	planned time.Duration // the latest time that the test itself names
	started time.Duration // the latest end of what began before planned
	changed chan struct{} // a task was added
	timer   *time.Timer
}

func newAgenda() *agenda { return &agenda{changed: make(chan struct{}, 1)} }

// start starts the time, at the first task or at frame zero, whichever is earlier.
func (a *agenda) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := time.Duration(0)
	if len(a.tasks) > 0 {
		first = min(first, a.tasks[0].at)
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

// once adds what is done once.
func (a *agenda) once(at time.Duration, phase int, do func()) {
	a.add(&task{at: at, phase: phase, do: func() bool { do(); return false }})
}

// add adds a task behind those of its time and phase.
func (a *agenda) add(t *task) {
	a.mu.Lock()
	a.turns++
	t.turn = a.turns
	heap.Push(&a.tasks, t)
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// next does what is due first. over is true when nothing is, and nothing will be.
func (a *agenda) next() (over bool) {
	a.mu.Lock()
	if len(a.tasks) == 0 || a.tasks[0].at > a.since() {
		over = a.wait() <= 0
		a.mu.Unlock()
		return over
	}
	t := heap.Pop(&a.tasks).(*task)
	a.mu.Unlock()
	if t.do() {
		a.mu.Lock()
		heap.Push(&a.tasks, t)
		a.mu.Unlock()
	}
	return false
}

// wait is the time until something is due or the test is over.
func (a *agenda) wait() time.Duration {
	until := max(a.planned, a.started)
	if len(a.tasks) > 0 {
		until = min(until, a.tasks[0].at)
	}
	return until - a.since()
}

// sleep waits until something is due, the test is over or a task is added.
func (a *agenda) sleep() {
	a.mu.Lock()
	wait := a.wait()
	a.mu.Unlock()
	if wait <= 0 {
		return
	}
	if a.timer == nil {
		a.timer = time.NewTimer(wait)
	} else {
		a.timer.Reset(wait)
	}
	select {
	case <-a.timer.C:
	case <-a.changed:
		a.timer.Stop()
	}
}

// tasks is a heap, the next one to do on top.
type tasks []*task

func (t tasks) Len() int      { return len(t) }
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t tasks) Less(i, j int) bool {
	switch {
	case t[i].at != t[j].at:
		return t[i].at < t[j].at
	case t[i].phase != t[j].phase:
		return t[i].phase < t[j].phase
	default:
		return t[i].turn < t[j].turn
	}
}
func (t *tasks) Push(x any) { *t = append(*t, x.(*task)) }
func (t *tasks) Pop() any {
	last := len(*t) - 1
	popped := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return popped
}
