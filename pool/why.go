package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callosum-go/rover"
)

// A Cause is why the pool has closed a connection by itself. It is the Cause of
// a Change, for errors.Is, and Stats counts by it.
type Cause int

// The causes. The first ones are why a loan did not end clean.
const (
	Unanswered Cause = iota + 1 // something was written and nothing read after it
	Late                        // a deadline passed while an answer was due
	Unread                      // bytes came that nobody has read
	HalfClosed                  // its borrower has used CloseWrite
	Unwrapped                   // its borrower has used NetConn: what he did there is not known
	Unfit                       // the function of WithReuse said no
	Unready                     // the function of WithReady failed
	Failed                      // its borrower said so, by Fail
	Aged                        // WithMaxAge
	Drained                     // its server has left the set
	Surplus                     // more were idle than WithIdle wants
)

var causes = [...]string{
	Unanswered: "unanswered", Late: "late", Unread: "unread", HalfClosed: "half closed", Unwrapped: "unwrapped",
	Unfit: "unfit", Unready: "unready", Failed: "failed", Aged: "aged", Drained: "drained", Surplus: "surplus",
}

// String returns, for example, "unread".
func (c Cause) String() string {
	if c < Unanswered || int(c) >= len(causes) {
		return fmt.Sprintf("Cause(%d)", int(c))
	}
	return causes[c]
}

func (c Cause) Error() string { return "pool: connection is " + c.String() }

// MarshalText is String, for JSON.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// because is a cause with more to say.
type because struct {
	Cause
	err error
}

func (b because) Error() string   { return b.Cause.Error() + ": " + b.err.Error() }
func (b because) Unwrap() []error { return []error{b.Cause, b.err} }

// A WaitError says why somebody got no connection: how the pool was when he
// gave up. It wraps Err, the error of his context.
type WaitError struct {
	Held    int       // connections kept
	Lent    int       // of these
	Waiting int       // others who wait
	Since   time.Time // since when the pool is empty, or somebody waits; zero if neither
	Last    []error   // why the pool has no more: the last different reasons, newest first; none if it is full
	Err     error     // context.Canceled, context.DeadlineExceeded, or ErrNone of Why
}

// ErrNone is what the error of Why wraps.
var ErrNone = errors.New("no connection is idle")

func (e *WaitError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "pool: no connection: %v; %d held, %d lent, %d waiting", e.Err, e.Held, e.Lent, e.Waiting)
	if !e.Since.IsZero() {
		fmt.Fprintf(&s, " since %s", e.Since.Format(time.RFC3339))
	}
	for i, err := range e.Last {
		sep := "; "
		if i == 0 {
			sep = "; last: "
		}
		s.WriteString(sep + err.Error())
	}
	return s.String()
}

func (e *WaitError) Unwrap() error { return e.Err }

// Timeout is true if a deadline ended the wait. With Temporary, it makes a
// WaitError a net.Error.
func (e *WaitError) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// Temporary is true: there may be a connection later.
func (e *WaitError) Temporary() bool { return true }

// Why says why TryGet got nothing just now, nil if something is idle. It wraps
// ErrNone, or ErrClosed.
func (p *Pool) Why() error {
	p.mu.Lock()
	closed, idle := p.closed, len(p.idle)
	p.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case idle > 0:
		return nil
	}
	return p.missing(ErrNone)
}

// missing is the error of who gets nothing, for err.
func (p *Pool) missing(err error) error {
	p.mu.Lock()
	e := &WaitError{Held: len(p.kept.entries), Waiting: p.waiting.Len(), Since: p.emptySince, Err: err}
	e.Lent = e.Held - p.idleKept() - p.keptReadying()
	full := e.Held >= p.max
	if e.Held > 0 {
		e.Since = p.waitedSince
	}
	if e.Held > 0 && e.Waiting == 0 && err == ErrNone {
		e.Since = time.Time{}
	}
	p.mu.Unlock()
	if !full {
		e.Last = p.reasons.last()
	}
	return e
}

// reasons are the last different ones why the pool has no more connections.
type reasons struct {
	mu  sync.Mutex
	all []error // newest first
}

const reasonsKept = 3

func (r *reasons) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := err.Error()
	r.all = slices.DeleteFunc(r.all, func(old error) bool { return old.Error() == text })
	r.all = slices.Insert(r.all, 0, err)
	r.all = r.all[:min(len(r.all), reasonsKept)]
}

// settled forgets what is over: a server has answered.
func (r *reasons) settled(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) > 0 {
		r.all = slices.DeleteFunc(r.all, func(old error) bool { return serverOf(old) == id })
	}
}

func (r *reasons) last() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// serverOf is the id of the server that an error of an attempt is about, "" if of none.
func serverOf(err error) string {
	var unreachable *rover.UnreachableError
	var protocol *rover.ProtocolError
	switch {
	case errors.As(err, &unreachable):
		return unreachable.ID
	case errors.As(err, &protocol):
		return protocol.ID
	}
	return ""
}
