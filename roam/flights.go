package roam

import (
	"math"
	"slices"
)

// A Dial is an attempt to make, at once. Whatever comes of it is reported with
// the same value, to Answer or Fail.
type Dial struct {
	Server int32
	Reason Reason
	Number uint32 // counts the dials of a Core, from 1
}

// A Reason is what a dial is for.
type Reason uint8

const (
	Other    Reason = iota // an attempt the policy did not ask for; Server is whose
	Cycle                  // the next of the cycle: is there anything better?
	Fill                   // the pool is short
	News                   // a new server, for a connection that should move
	Comeback               // a server that broke, and is owed connections
)

var reasons = [...]string{"other", "cycle", "fill", "news", "comeback"}

// String returns, for example, "cycle".
func (r Reason) String() string { return reasons[min(int(r), len(reasons)-1)] }

// fair is true to dials whose answers are a fair sample of the servers.
func (r Reason) fair() bool { return r == Cycle || r == Fill }

// Flights are the dials without an answer, oldest first. One that is late does
// not count any more, so that a server that says nothing holds up nothing, nor
// does a dial that somebody dropped.
type flights []flight

type flight struct {
	number uint32
	fill   bool
	until  Time
}

// add notes a dial; spread is from 0 to 1, so that clients that dialed together
// do not find together that nobody answers.
func (f *flights) add(now Time, d Dial, spread float64) {
	*f = append(*f, flight{d.Number, d.Reason == Fill, now + lateDial*(1+lateSpread*Time(spread))})
}

func (f *flights) end(number uint32) {
	if at := f.index(number); at >= 0 {
		*f = slices.Delete(*f, at, at+1)
	}
}

func (f *flights) expire(now Time) {
	*f = slices.DeleteFunc(*f, func(x flight) bool { return x.until <= now })
}

func (f flights) open(number uint32) bool { return f.index(number) >= 0 }

func (f flights) index(number uint32) int {
	return slices.IndexFunc(f, func(x flight) bool { return x.number == number })
}

// fills are how many of them fill the pool.
func (f flights) fills() (n int) {
	for _, x := range f {
		if x.fill {
			n++
		}
	}
	return n
}

// late is when the next dial is late.
func (f flights) late() Time {
	at := never
	for _, x := range f {
		at = min(at, x.until)
	}
	return at
}

// never is later than any time.
var never = Time(math.Inf(1))
