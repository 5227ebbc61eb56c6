package roam

import (
	"fmt"
	"time"

	"github.com/callosum-go/rover"
)

// A Kind is what has happened in a pool.
type Kind int

// The kinds of [Change]. A connection's life is Kept (or Replaced, as the one
// that came), then Lent, Returned and Rerated in turn, then one of Replaced,
// Lost and Closed.
const (
	Kept      Kind = iota // taken in, there was room
	Replaced              // out, for a better one: By
	Lost                  // out, the other side is gone
	Closed                // out, by its holder, or with the pool
	Lent                  // to a borrower; Took: how long the borrower waited
	Returned              // by a borrower; Took: how long it was lent
	Waiting               // somebody waits for a connection
	Satisfied             // somebody waits no longer; Took: how long that was
	Rerated               // stays, with another slot: By
	Declined              // was offered, and the pool declined it without its choice, or against it
	Suspended             // its server failed and is left alone for Took; Cause: how
	Trusted               // its server was left alone, and is well again
	Resized               // the pool wants another number of connections now: Max
)

var kinds = [...]string{"kept", "replaced", "lost", "closed", "lent", "returned", "waiting", "satisfied", "rerated",
	"declined", "suspended", "trusted", "resized"}

// String returns, for example, "kept".
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kinds) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kinds[k]
}

// MarshalText is String, for JSON.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Change is one thing that happened in a pool.
type Change struct {
	Kind   Kind
	Held        // the connection; none with Waiting and Satisfied
	By     Held // with Replaced: what came for it; with Rerated: what it is now
	At     time.Time
	Took   time.Duration // a loan or a wait that is over; 0 if nobody listened when it began
	Cause  error         // with Lost, Closed, Satisfied and Suspended: why, if there is more to say
	Max    int           // with Resized
	Server rover.Server  // of the connection
}

// String returns, for example, `kept slot 3 of "a" (127.0.0.1:4040)`.
func (c Change) String() string {
	switch c.Kind {
	case Resized:
		return fmt.Sprintf("%v to %d", c.Kind, c.Max)
	case Waiting, Satisfied:
		return c.because(c.Kind.String())
	}
	s := fmt.Sprintf("%v slot %d of %q", c.Kind, c.Slot, c.ID)
	if c.Server != (rover.Server{}) {
		s += fmt.Sprintf(" (%v)", c.Server)
	}
	if c.Kind == Replaced || c.Kind == Rerated {
		s += fmt.Sprintf(" by slot %d of %q", c.By.Slot, c.By.ID)
	}
	return c.because(s)
}

func (c Change) because(s string) string {
	if c.Cause != nil {
		s += ": " + c.Cause.Error()
	}
	return s
}
