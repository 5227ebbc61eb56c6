// Package roam is the roving policy: when to dial, whom, and whether to keep
// what is offered.
//
//	         wake, answer, failure, loss, set change, need
//	                          │
//	                          ▼
//	pool ── Choose ──▶ ┌────────────┐ ──▶ dials
//	     ◀─ Verdict ── │    Core    │ ──▶ the next wake
//	                   └────────────┘
//
// [Core] is a state machine: events in, dials out. It has no clock, no
// goroutine, no network and no random source of its own, so that the library,
// the simulator (package roam/simulate) and the tests run the same code.
//
// The idea in three sentences. A slot number is a load: the highest slot one
// holds says how full the fullest of one's servers is, and the slots offered
// lately say what is normal. A connection above what is normal is one that
// should move, all others stay, which is why so few move. A client dials in
// vain twice through all servers, then less and less, until something happens.
//
// The page docs/roaming.md has the specification, why it converges, its limits
// and measurements.
package roam

import "time"

// A Time is in intervals, one second by default, since any fixed moment. All
// of the policy's constants are in intervals.
type Time float64

// In returns a duration in intervals.
func In(d, interval time.Duration) Time { return Time(d) / Time(interval) }

// Duration is the inverse of [In].
func (t Time) Duration(interval time.Duration) time.Duration {
	return time.Duration(t * Time(interval))
}
