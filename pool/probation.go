package pool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/roam"
)

// A server whose connections die young and unused, or fail their borrowers, is
// left alone for a while, which doubles each time. Then one connection is kept
// beside the pool and lent, so that it costs no good one. If that does what
// it should, it takes its place in the pool and the server is like any other.
// This is the outlier detection of proxies (Envoy's, with its panic threshold:
// where most servers seem bad, it is not the servers), for connections.
const (
	failuresInARow = 3                // with no success between: a single one may be the borrower's own fault
	young          = 10 * time.Second // a connection that ends without ever having been of use is a failure up to that age
	firstPause     = time.Second
	longestPause   = 30 * time.Second // a server that is well again is back within a minute
	trialTime      = 5 * time.Second  // one that nobody has asked anything has passed then
)

// who is a server: another one under the same id is not to pay for it.
type who struct {
	id     string
	server rover.Server
}

func (e *entry) who() who { return who{e.id, e.server} }

// A standing is what is held against a server.
type standing struct {
	row   int           // failures with no success between
	times int           // it was left alone, lately
	pause time.Duration // the last one
	begun time.Time     // of the last one
	until time.Time     // no offer is taken before
	out   bool          // until a trial has succeeded
	trial *entry        // the one under way
}

// failure counts one of a connection's server. The lock is held; what it returns,
// which may be nil, is to be called without.
func (p *Pool) failure(e *entry, why error) (finish func()) {
	p.reasons.note(fmt.Errorf("pool: %w of server %q (%v)", why, e.id, e.server))
	s := p.standing(e.who())
	s.row++
	if e.trial || !s.out && (s.row >= failuresInARow || errors.Is(why, Unready)) {
		p.suspend(s, e, why)
		return p.drain(Failed, func(x *entry) bool { return x != e && x.who() == e.who() })
	}
	return nil
}

// diedYoung counts the end of a connection that was of no use to anybody.
func (p *Pool) diedYoung(e *entry, trial bool) {
	s := p.standing(e.who())
	if trial || !s.out && e.since.After(s.begun) { // what was kept before died of the same
		p.suspend(s, e, errYoung)
	}
}

var errYoung = errors.New("pool: connection ended young and unused")

// suspend leaves a server alone.
func (p *Pool) suspend(s *standing, e *entry, why error) {
	now := time.Now()
	if !s.out && now.Sub(s.until) > 2*s.pause {
		s.times = 0 // it was well for long enough
	}
	s.pause = min(firstPause<<s.times, longestPause)
	s.times = min(s.times+1, 6)
	s.row, s.out, s.trial = 0, true, nil
	s.begun = now
	s.until = now.Add(time.Duration(float64(s.pause) * (0.8 + 0.2*rand.Float64())))
	p.reasons.note(fmt.Errorf("pool: server %q (%v) is left alone for a while: %w", e.id, e.server, why))
	if p.heard() {
		p.emit(Change{Kind: Suspended, Held: roam.Held{ID: e.id, Slot: e.rate}, Server: e.server, Took: s.until.Sub(now), Cause: why})
	}
}

// success is a question that was answered.
func (p *Pool) success(e *entry) (finish func()) {
	s := p.standings[e.who()]
	if s == nil {
		return nil
	}
	s.row = 0
	if s.trial == e && e.in() {
		return p.pass(s, e)
	}
	if !s.out && time.Since(s.until) > 2*s.pause {
		delete(p.standings, e.who())
	}
	return nil
}

// pass ends a trial well: the pool, or its choice, says whether the connection
// is wanted, as if it were offered now.
func (p *Pool) pass(s *standing, e *entry) (finish func()) {
	s.out, s.trial, s.until = false, nil, time.Now()
	if p.heard() {
		p.emit(Change{Kind: Trusted, Held: e.held(), Server: e.server})
	}
	idle := e.spot >= 0
	if idle {
		p.unshelve(e)
	}
	p.endTrial(e)
	verdict, _ := p.decide(e.offer)
	if verdict.Kept() {
		finish = p.install(e, verdict)
	} else {
		p.stats.Declined++
	}
	if idle && e.kept {
		p.shelve(e)
		return finish
	}
	if idle {
		return then(finish, e.shut)
	}
	if !e.kept {
		p.stats.Leaving++
		finish = then(finish, e.replace())
	}
	return finish
}

// try begins a trial: e is lent, and not of the pool.
func (p *Pool) try(s *standing, e *entry) (finish func()) {
	if p.trials == nil {
		p.trials = make(map[*entry]struct{})
	}
	s.trial, e.trial, e.since = e, true, time.Now()
	p.trials[e] = struct{}{}
	e.after(trialTime, func() { p.trialOver(s, e) })
	return p.prepare(e)
}

// trialOver lets a connection pass that is alive, and owes nobody an answer.
func (p *Pool) trialOver(s *standing, e *entry) {
	p.mu.Lock()
	var finish func()
	switch {
	case s.trial != e || !e.trial:
	case e.use.owed.Load():
		e.after(trialTime, func() { p.trialOver(s, e) })
	default:
		finish = p.pass(s, e)
	}
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}

// endTrial takes e from those on trial.
func (p *Pool) endTrial(e *entry) {
	if e.trial {
		e.trial = false
		delete(p.trials, e)
		e.stopTimer()
		if s := p.standings[e.who()]; s != nil && s.trial == e {
			s.trial = nil
		}
	}
}

// standing is a server's, made if there is none. Those that nobody has heard of
// for long are forgotten then.
func (p *Pool) standing(of who) *standing {
	s := p.standings[of]
	if s == nil {
		for old, x := range p.standings {
			if x.trial == nil && time.Since(x.until) > 10*longestPause {
				delete(p.standings, old)
			}
		}
		if p.standings == nil {
			p.standings = make(map[who]*standing)
		}
		s = &standing{}
		p.standings[of] = s
	}
	return s
}

// suspect is the standing of a server that is not trusted now, or nil.
func (p *Pool) suspect(of who) *standing {
	if s := p.standings[of]; s != nil && s.out {
		return s
	}
	return nil
}

// most says whether more than half of the servers are suspect: then the fault
// may not be theirs, and a poor connection is better than none.
func (p *Pool) most() bool {
	out := 0
	for _, s := range p.standings {
		if s.out {
			out++
		}
	}
	good := make(map[who]struct{})
	for _, e := range p.kept.entries {
		if p.suspect(e.who()) == nil {
			good[e.who()] = struct{}{}
		}
	}
	return out > len(good)
}
