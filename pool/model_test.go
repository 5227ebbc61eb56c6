package pool_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
)

// TestModel does random things to a pool and to a model of it that is too
// simple to be wrong, and compares the two after each.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ rapid.TB }{t}, func(t *rapid.T) { // a bubble has no Deadline
			n := rapid.IntRange(1, 4).Draw(t, "max")
			p, err := pool.New(pool.WithMax(n))
			if err != nil {
				t.Fatal(err)
			}
			m := &model{p: p, max: n}
			defer m.clear()
			t.Repeat(map[string]func(*rapid.T){
				"":            m.compare,
				"offer":       m.offer,
				"offer dead":  m.offerDead,
				"offer taken": m.offerTaken,
				"get":         m.get,
				"try get":     m.tryGet,
				"give up":     m.giveUp,
				"release":     m.release,
				"close":       m.close,
				"they send":   m.theySend,
				"read":        m.read,
				"ask":         m.ask,
				"late":        m.late,
				"send late":   m.sendLate,
				"they close":  m.theyClose,
			})
			m.end(t)
		})
	})
}

// A model is a list of all there ever was.
type model struct {
	p       *pool.Pool
	max     int
	sockets []*peer
	loans   []*pool.Conn // those that are over too
	waiting []*waiter
	want    pool.Stats
}

// A waiter is a Get under way.
type waiter struct {
	cancel context.CancelFunc
	got    chan *pool.Conn // nil: failed
}

func (m *model) those(which func(*peer) bool) (found []*peer) {
	for _, s := range m.sockets {
		if which(s) {
			found = append(found, s)
		}
	}
	return found
}

func isKept(s *peer) bool { return s.kept }
func isIdle(s *peer) bool { return s.kept && s.loan == nil }
func isLent(s *peer) bool { return s.loan != nil }

// worst is the highest slot that is kept.
func (m *model) worst() int {
	worst := -1
	for _, s := range m.those(isKept) {
		worst = max(worst, s.slot)
	}
	return worst
}

func (m *model) newPeer(slot int) (*peer, *rover.Connection) {
	s := &peer{slot: slot}
	s.Conn, s.theirs = net.Pipe()
	at := rover.Server{Host: strconv.Itoa(len(m.sockets)), Port: 1}
	m.sockets = append(m.sockets, s)
	return s, rover.NewConnection("a", at, s.slot, s)
}

// count is how many are kept with a slot: all have the same server's id.
func (m *model) count(slot int) int {
	return len(m.those(func(s *peer) bool { return s.kept && s.slot == slot }))
}

// full is true at the limit of sockets, twice Max.
func (m *model) full() bool {
	return len(m.those(func(s *peer) bool { return s.kept || s.loan != nil })) >= 2*m.max
}

// wants is what becomes of an offer.
func (m *model) wants(slot int) bool {
	if len(m.those(isKept)) < m.max {
		return !m.full()
	}
	worst := m.worst()
	if slot >= worst || m.count(slot) >= roam.Twins {
		return false
	}
	return !m.full() || !m.victimLent(worst)
}

// victimLent is true if what would go is lent: of the worst, the longest kept.
func (m *model) victimLent(worst int) bool {
	all := m.those(func(s *peer) bool { return s.kept && s.slot == worst })
	return all[0].loan != nil
}

// lent is told of a loan and finds the socket, which must be free for it.
func (m *model) lent(t *rapid.T, c *pool.Conn) {
	i, _ := strconv.Atoi(c.Server().Host)
	s := m.sockets[i]
	if !isIdle(s) || s.dead || s.closed > 0 || s.slot != c.Slot() {
		t.Fatalf("lent %+v", s)
	}
	s.loan = c
	m.loans = append(m.loans, c)
}

func (m *model) offer(t *rapid.T) {
	worst, kept := m.worst(), len(m.those(isKept))
	slot := rapid.IntRange(0, 6).Draw(t, "slot")
	wanted := m.wants(slot)
	s, c := m.newPeer(slot)
	if got := m.p.Offer(c); got != wanted {
		t.Fatalf("slot %d kept: %v, want %v", s.slot, got, wanted)
	}
	if !wanted {
		m.want.Declined++
		return
	}
	m.want.Accepted++
	if kept == m.max {
		m.want.Replaced++
		gone := m.those(func(s *peer) bool { return s.kept && (s.closed > 0 || isReplaced(s)) })
		if len(gone) != 1 || gone[0].slot != worst {
			t.Fatalf("for slot %d went %v", s.slot, gone)
		}
		gone[0].kept = false
	}
	m.put(t, s)
}

func isReplaced(s *peer) bool {
	if s.loan == nil {
		return false
	}
	select {
	case <-s.loan.Replaced():
		return true
	default:
		return false
	}
}

// put makes a socket free, which is for who has waited longest.
func (m *model) put(t *rapid.T, s *peer) {
	s.kept = true
	if len(m.waiting) > 0 {
		first := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.lent(t, <-first.got)
		first.cancel()
		if s.loan == nil {
			t.Fatal("who waits got another one")
		}
	}
}

func (m *model) offerDead(t *rapid.T) {
	s, c := m.newPeer(rapid.IntRange(0, 6).Draw(t, "slot"))
	s.theirs.Close()
	s.dead = true
	if m.p.Offer(c) {
		t.Fatal("kept a dead one")
	}
	m.want.Declined++
}

func (m *model) offerTaken(t *rapid.T) {
	slot := rapid.IntRange(0, 6).Draw(t, "slot")
	wanted := m.wants(slot)
	s, c := m.newPeer(slot)
	m.sockets = m.sockets[:len(m.sockets)-1] // somebody else's
	defer s.theirs.Close()
	defer s.Conn.Close()
	if _, err := c.Keep(); err != nil {
		t.Fatal(err)
	}
	if m.p.Offer(c) {
		t.Fatal("kept what was taken")
	}
	if !wanted {
		m.want.Declined++
	}
}

func (m *model) get(t *rapid.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &waiter{cancel, make(chan *pool.Conn, 1)}
	go func() {
		c, _ := m.p.Get(ctx)
		w.got <- c
	}()
	synctest.Wait()
	m.drop(t)
	if len(m.those(isIdle)) == 0 {
		m.waiting = append(m.waiting, w)
		return
	}
	defer cancel()
	m.lent(t, <-w.got)
}

func (m *model) tryGet(t *rapid.T) {
	c, ok := m.p.TryGet()
	m.drop(t)
	if idle := m.those(isIdle); ok != (len(idle) > 0) {
		t.Fatalf("TryGet is %v with %d idle", ok, len(idle))
	}
	if ok {
		m.lent(t, c)
	}
}

func (m *model) giveUp(t *rapid.T) {
	if len(m.waiting) == 0 {
		t.Skip()
	}
	i := rapid.IntRange(0, len(m.waiting)-1).Draw(t, "who")
	m.waiting[i].cancel()
	if c := <-m.waiting[i].got; c != nil {
		t.Fatal("who gave up got a connection")
	}
	m.waiting = slices.Delete(m.waiting, i, i+1)
}

// pick is any of those, and skips if there are none.
func pick[T any](t *rapid.T, from []T) T {
	if len(from) == 0 {
		t.Skip()
	}
	return rapid.SampledFrom(from).Draw(t, "which")
}

// over ends a loan in the model, if it is not over already.
func (m *model) over(c *pool.Conn) *peer {
	for _, s := range m.those(isLent) {
		if s.loan == c {
			s.loan = nil
			return s
		}
	}
	return nil
}

func (m *model) release(t *rapid.T) {
	c := pick(t, m.loans)
	c.Release()
	time.Sleep(2 * time.Millisecond) // what is no socket is listened to before it is idle
	s := m.over(c)
	if s == nil {
		return
	}
	defer s.renew()
	switch why := s.unclean(); {
	case !s.kept:
	case why != 0:
		m.shut(s, why)
	default:
		m.put(t, s)
	}
}

// shut counts a connection that the pool closes.
func (m *model) shut(s *peer, why pool.Cause) {
	s.kept = false
	m.want.Closed++
	if m.want.Causes == nil {
		m.want.Causes = map[pool.Cause]int{}
	}
	m.want.Causes[why]++
}

// drop notes what a Get has found unfit and closed: used before, and with bytes
// that came since.
func (m *model) drop(t *rapid.T) {
	for _, s := range m.those(isIdle) {
		if s.closed > 0 {
			if !s.used || s.unread == "" {
				t.Fatalf("closed for nothing: %+v", s)
			}
			m.shut(s, pool.Unread)
		}
	}
}

func (m *model) ask(t *rapid.T) {
	s := pick(t, m.those(func(s *peer) bool { return isLent(s) && !s.dead }))
	s.use()
	go s.theirs.Read(make([]byte, 1))
	if _, err := s.loan.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	s.open++
	s.asked = true
}

// late is a deadline that passes, which means something to who has asked.
func (m *model) late(t *rapid.T) {
	s := pick(t, m.those(func(s *peer) bool { return isLent(s) && !s.dead && s.unread == "" && s.using }))
	s.loan.SetReadDeadline(time.Unix(1, 0))
	if n, err := s.loan.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	s.loan.SetReadDeadline(time.Time{})
	s.late = s.late || s.asked
}

// sendLate is an answer that comes when who asked has gone.
func (m *model) sendLate(t *rapid.T) {
	s := pick(t, m.those(func(s *peer) bool { return isIdle(s) && s.used }))
	s.theirs.Write([]byte("late"))
	s.unread += "late"
}

func (m *model) close(t *rapid.T) {
	c := pick(t, m.loans)
	c.Close()
	if s := m.over(c); s != nil && s.kept {
		s.kept = false
		m.want.Closed++
		s.renew()
	}
}

func (m *model) theySend(t *rapid.T) {
	s := pick(t, m.those(func(s *peer) bool { return isIdle(s) && !s.used }))
	s.theirs.Write([]byte("hello"))
	s.unread += "hello"
}

func (m *model) read(t *rapid.T) {
	s := pick(t, m.those(func(s *peer) bool { return isLent(s) && s.unread != "" }))
	s.use()
	b := make([]byte, len(s.unread))
	for n := 0; n < len(b); {
		k, err := s.loan.Read(b[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += k
		s.open = max(s.open-1, 0)
	}
	if string(b) != s.unread {
		t.Fatalf("read %q, want %q", b, s.unread)
	}
	s.unread = ""
}

// theyClose is known at once of one that is read ahead from, which is not so
// once its borrower has begun to read; then the borrower is the first to know.
func (m *model) theyClose(t *rapid.T) {
	s := pick(t, m.those(isKept))
	s.theirs.Close()
	synctest.Wait()
	if s.loan != nil {
		for n, err := 1, error(nil); err == nil; {
			if n, err = s.loan.Read(make([]byte, 8)); n > len(s.unread) {
				t.Fatalf("read %d bytes, want %d", n, len(s.unread))
			}
			s.unread = s.unread[n:]
		}
	}
	s.dead, s.kept = true, false
	m.want.Lost++
}

// compare looks at all that can be seen from outside.
func (m *model) compare(t *rapid.T) {
	synctest.Wait()
	want := m.want
	want.Lowest, want.Highest = -1, m.worst()
	want.Servers = map[rover.Server]int{}
	for i, s := range m.sockets {
		out := 1
		if s.kept || s.loan != nil {
			out = 0
		}
		if !s.kept && s.loan != nil {
			want.Leaving++
		}
		if (s.closed > 0) != (out == 1) {
			t.Fatalf("socket %d is closed %d times, want %d: %+v", i, s.closed, out, s)
		}
		if s.kept {
			want.Servers[rover.Server{Host: strconv.Itoa(i), Port: 1}]++
			if want.Lowest < 0 || s.slot < want.Lowest {
				want.Lowest = s.slot
			}
		}
	}
	want.Kept, want.Idle = len(m.those(isKept)), len(m.those(isIdle))
	want.Lent = want.Kept - want.Idle
	want.Waiting = len(m.waiting)
	if diff := cmp.Diff(want, m.p.Stats()); diff != "" {
		t.Fatalf("stats (-want +got):\n%s", diff)
	}
	switch {
	case want.Kept > m.max:
		t.Fatalf("%d are kept, at most %d may be", want.Kept, m.max)
	case want.Accepted != want.Kept+want.Replaced+want.Lost+want.Closed:
		t.Fatalf("not everything is accounted for: %+v", want)
	}
}

// end closes the pool and gives everything back.
func (m *model) end(t *rapid.T) {
	m.p.Close()
	for _, w := range m.waiting {
		if c := <-w.got; c != nil {
			t.Fatal("lent by a closed pool")
		}
		w.cancel()
	}
	m.waiting = nil
	for _, s := range m.those(isKept) {
		s.kept = false
		m.want.Closed++
	}
	m.compare(t)
	for _, c := range m.loans {
		c.Release()
		time.Sleep(2 * time.Millisecond)
		m.over(c)
		m.compare(t)
	}
}

// clear leaves nothing behind, of a failure either.
func (m *model) clear() {
	m.p.Close()
	for _, w := range m.waiting {
		w.cancel()
	}
	for _, s := range m.sockets {
		s.theirs.Close()
		s.Conn.Close()
	}
}
