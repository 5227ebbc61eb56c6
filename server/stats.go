package server

import (
	"sync/atomic"
	"time"
)

// Stats are counts since the listener began, and how it is now. They marshal to
// JSON; durations are nanoseconds there.
type Stats struct {
	// Of the Slots, which may be shared among listeners.
	InUse   int `json:"in_use"`  // slots that are taken
	Free    int `json:"free"`    // the lowest slot that is free: the next client's
	Highest int `json:"highest"` // the highest slot that was ever given; -1: none

	Weight   float64 `json:"weight"` // see Listener.Weight
	Draining bool    `json:"draining"`

	Open       int `json:"open"`       // connections, with those that have no slot yet
	Handshakes int `json:"handshakes"` // of these, in their handshake
	Waiting    int `json:"waiting"`    // of these, waiting for an Accept

	Lines    int64    `json:"lines"`    // slot lines written
	Given    int64    `json:"given"`    // slots given: a line may fail
	Freed    int64    `json:"freed"`    // slots given back
	Accepted int64    `json:"accepted"` // connections that Accept returned
	Refused  Refused  `json:"refused"`  // those that it did not
	Took     Duration `json:"took"`     // handshakes that succeeded
}

// Refused counts connections that Accept did not return, by why. What such a
// client sees is a connection that ends: by a reset for Limit of all
// connections, by an end of stream else.
type Refused struct {
	Handshake int64 `json:"handshake"` // the handshake failed
	Timeout   int64 `json:"timeout"`   // handshake or line took too long, or no Accept came
	Limit     int64 `json:"limit"`     // a limit of ours
	Client    int64 `json:"client"`    // the client left before its line, or before its first byte
	Panic     int64 `json:"panic"`     // of a TLS callback or hook
	Close     int64 `json:"close"`     // the listener was closed
}

// Duration sums up how long something took.
type Duration struct {
	Count   int64         `json:"count"`
	Sum     time.Duration `json:"sum"`
	Longest time.Duration `json:"longest"`
	Buckets []Bucket      `json:"buckets"` // each counts those of the ones before, as Prometheus' do
}

// Bucket counts those that took no longer than UpTo.
type Bucket struct {
	UpTo  time.Duration `json:"up_to"`
	Count int64         `json:"count"`
}

// Stats returns the counts. Each is right; all together may be of slightly
// different moments.
func (l *Listener) Stats() Stats {
	inUse, free, highest := l.slots.look()
	l.mu.Lock()
	open, handshakes, waiting := len(l.conns), l.handshakes.Len(), l.waiting
	l.mu.Unlock()
	t := &l.tally
	return Stats{
		InUse: inUse, Free: free, Highest: highest,
		Weight: l.Weight(), Draining: l.isDraining(),
		Open: open, Handshakes: handshakes, Waiting: waiting,
		Lines: t.lines.Load(), Given: t.given.Load(), Freed: t.freed.Load(), Accepted: t.accepted.Load(),
		Refused: Refused{
			Handshake: t.refused[byHandshake].Load(),
			Timeout:   t.refused[byTimeout].Load(),
			Limit:     t.refused[byLimit].Load(),
			Client:    t.refused[byClient].Load(),
			Panic:     t.refused[byPanic].Load(),
			Close:     t.refused[byClose].Load(),
		},
		Took: t.handshakes.read(),
	}
}

// A cause is why Accept does not return a connection.
type cause int

const (
	byHandshake cause = iota
	byTimeout
	byLimit
	byClient
	byPanic
	byClose
	causes
)

type tally struct {
	given, freed    atomic.Int64
	lines, accepted atomic.Int64
	refused         [causes]atomic.Int64
	handshakes      spread
}

func (t *tally) refuse(why cause) { t.refused[why].Add(1) }

// A spread has a bucket for each power of two from 1 ms to 8 s.
type spread struct {
	sum, longest atomic.Int64
	buckets      [14]atomic.Int64
	all          atomic.Int64
}

func (s *spread) add(d time.Duration) {
	s.all.Add(1)
	s.sum.Add(int64(d))
	for old := s.longest.Load(); int64(d) > old && !s.longest.CompareAndSwap(old, int64(d)); old = s.longest.Load() {
	}
	for i := range s.buckets {
		if d <= time.Millisecond<<i {
			s.buckets[i].Add(1)
			return
		}
	}
}

func (s *spread) read() Duration {
	d := Duration{Count: s.all.Load(), Sum: time.Duration(s.sum.Load()), Longest: time.Duration(s.longest.Load())}
	var below int64
	for i := range s.buckets {
		below += s.buckets[i].Load()
		d.Buckets = append(d.Buckets, Bucket{time.Millisecond << i, below})
	}
	return d
}
