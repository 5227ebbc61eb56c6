package roam

import (
	"fmt"
	"time"
)

// A Kind is what has happened in a pool.
type Kind int

// The kinds of [Change]. A connection's life is Kept (or Replaced, as the one
// that came), then Lent and Returned in turn, then one of Replaced, Lost and
// Closed.
const (
	Kept      Kind = iota // taken in, there was room
	Replaced              // out, for a better one: By
	Lost                  // out, the other side is gone
	Closed                // out, by its holder, or with the pool
	Lent                  // to a borrower; Took: how long the borrower waited
	Returned              // by a borrower; Took: how long it was lent
	Waiting               // somebody waits for a connection
	Satisfied             // somebody waits no longer; Took: how long that was
)

var kinds = [...]string{"kept", "replaced", "lost", "closed", "lent", "returned", "waiting", "satisfied"}

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
	Kind  Kind
	Held       // the connection; none with Waiting and Satisfied
	By    Held // with Replaced: what came for it
	At    time.Time
	Took  time.Duration // a loan or a wait that is over
	Cause error         // with Lost, Closed and Satisfied: why, if there is more to say
}

// String returns, for example, `kept slot 3 of "a"`.
func (c Change) String() string {
	switch {
	case c.Kind == Replaced:
		return fmt.Sprintf("%v slot %d of %q by slot %d of %q", c.Kind, c.Slot, c.ID, c.By.Slot, c.By.ID)
	case c.Kind == Waiting || c.Kind == Satisfied:
		return c.Kind.String()
	case c.Cause != nil:
		return fmt.Sprintf("%v slot %d of %q: %v", c.Kind, c.Slot, c.ID, c.Cause)
	default:
		return fmt.Sprintf("%v slot %d of %q", c.Kind, c.Slot, c.ID)
	}
}
