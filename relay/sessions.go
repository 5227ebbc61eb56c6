package relay

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// DefaultDrain is how long those that are served may take to end.
const DefaultDrain = 30 * time.Second

// ErrDrained is the cause that cuts what is still served after the time to drain.
var ErrDrained = errors.New("relay: the time to drain is over")

// A Session is one client that was served, from beginning to end.
type Session struct {
	Result               // A is the client, B the server
	Client net.Addr      // who
	Server string        // to which: the id of a pool's server, a front's backend
	Slot   int           // the slot it had
	Began  time.Time     // when it was accepted
	Took   time.Duration // until both directions had ended
}

// Stats are the counters of a Front or Proxy.
type Stats struct {
	Active  int            // clients served now
	Served  int            // clients that were served, to the end
	Sent    int64          // bytes of clients, of those that have ended
	Got     int64          // bytes of servers, likewise
	Retired int            // of Served, closed while quiet because better was to be had
	Cut     int            // of Served, cut by the relay: too old, or the time to drain was over
	Refused map[string]int // clients that got a reset at once, by why
}

// sessions are those under way, and the counters.
type sessions struct {
	mu     sync.Mutex
	stats  Stats
	active map[*session]struct{}
	ending bool // drain has begun
	late   bool // and its time is over
	tasks  sync.WaitGroup
}

// A session under way can be retired, and cut.
type session struct {
	wanted  context.Context // ends when it is to end once it is quiet
	retired context.CancelFunc
	ctx     context.Context // ends when it is cut
	cut     context.CancelCauseFunc
}

// begin notes a client that is served from now on.
func (all *sessions) begin() *session {
	s := new(session)
	s.wanted, s.retired = context.WithCancel(context.Background())
	s.ctx, s.cut = context.WithCancelCause(context.Background())
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.active == nil {
		all.active = make(map[*session]struct{})
	}
	all.active[s] = struct{}{}
	all.stats.Active++
	if all.ending {
		s.retired()
	}
	if all.late {
		s.cut(ErrDrained)
	}
	return s
}

func (all *sessions) end(s *session, r Result) {
	cut := s.ctx.Err() != nil
	s.cut(nil)
	s.retired()
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.active, s)
	all.stats.Active--
	all.stats.Served++
	all.stats.Sent += r.Sent
	all.stats.Got += r.Got
	if errors.Is(r.Err, ErrRetired) {
		all.stats.Retired++
	} else if cut && r.Err != nil {
		all.stats.Cut++
	}
}

// refuse counts a client that is not served.
func (all *sessions) refuse(why string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.stats.Refused == nil {
		all.stats.Refused = make(map[string]int)
	}
	all.stats.Refused[why]++
}

func (all *sessions) now() Stats {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.stats
	s.Refused = maps.Clone(s.Refused)
	return s
}

// drain retires all sessions, one by one over the time spread, and cuts what is
// left after d. It returns when nothing is busy any more, or all is cut.
func (all *sessions) drain(d, spread time.Duration, busy func() bool) {
	all.mu.Lock()
	all.ending = true
	var left []*session
	for s := range all.active {
		left = append(left, s)
	}
	all.mu.Unlock()
	rand.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	over := time.NewTimer(d)
	defer over.Stop()
	ticks := time.NewTicker(drainTick)
	defer ticks.Stop()
	retired, began := 0, time.Now()
	for busy() {
		due := len(left)
		if spread > 0 {
			due = int(float64(len(left)) * min(1, float64(time.Since(began))/float64(spread)))
		}
		for ; retired < min(due+1, len(left)); retired++ {
			left[retired].retired()
		}
		select {
		case <-ticks.C:
		case <-over.C:
			all.cut()
			return
		}
	}
	all.cut() // whoever comes late
}

const drainTick = 10 * time.Millisecond

func (all *sessions) cut() {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.late = true
	for s := range all.active {
		s.cut(ErrDrained)
	}
}
