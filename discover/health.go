package discover

import (
	"sync"
	"time"
)

// Health is how a source does: give it to the source by WithHealth and read it
// where metrics are made. Give each source its own. The zero value is ready. It
// is safe for many goroutines.
type Health struct {
	mu      sync.Mutex
	servers int
	good    time.Time
	changed time.Time
	faults  int
	last    error
}

// A Report is the health of one moment.
type Report struct {
	Servers int       // in the last set
	Good    time.Time // when the source last gave an answer that counts; zero: never
	Changed time.Time // when the set last changed; zero: there is none
	Faults  int       // so far, each one counted, also those that were not emitted
	Last    error     // the last fault; nil if the last answer came after it
}

// Age is how long ago the last answer came that counts, which is what to alert on;
// false: there was none.
func (r Report) Age(now time.Time) (age time.Duration, ok bool) {
	return now.Sub(r.Good), !r.Good.IsZero()
}

// Now returns the health of this moment.
func (h *Health) Now() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Report{h.servers, h.good, h.changed, h.faults, h.last}
}

func (h *Health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults++
	h.last = err
}

func (h *Health) answered(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.good, h.last = at, nil
}

func (h *Health) adopted(servers int, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.servers, h.changed = servers, at
}
