//go:build !plan9

// Package faulty is a server that misbehaves by script, over loopback TCP and over pipes, and the
// table of what a rover makes of it.
//
// [Cases] is that table: each [Case] says what the server, the network or the rover's owner does,
// and which event must come of it, as plain data. [TCP] and [Pipe] play a case: they start a
// [Server] to be dialled with [Server.Dialer]. The same table is a test, the faults of the chaos
// run, and a page for people ([Page]).
package faulty

import (
	"fmt"
	"slices"
	"strings"
)

// Case is one way in which an attempt can go, and what must come of it.
type Case struct {
	Name   string // unique, fit for a test's name
	Group  Group  // the part of the table it stands in
	Door   Door   // how the server listens
	Script Script // what it does to each connection it accepts; then it waits until the client leaves
	Way    Way    // how the client gets there
	Owner  Owner  // what the rover's owner does

	// Want is what must come of the attempt: one of these. There is more than one only where the
	// network decides which.
	Want []Outcome
	// Also is what is emitted besides, for reasons other than the attempt's.
	Also []Outcome

	// Virtual: the outcome depends on an exact time within the client's patience. On a slow
	// machine that time is not exact, so the case is for pipes in bubbles.
	Virtual bool

	// Reference is what the Node package callosum-client-tcp-rover was measured to do; empty
	// where it was not measured.
	Reference string
}

// Does says in words what goes on in the case.
func (c Case) Does() string {
	var parts []string
	if c.Owner != Roves {
		parts = append(parts, string(c.Owner))
	}
	switch {
	case c.Way.words != "":
		parts = append(parts, c.Way.words)
	case c.Door != Accepts:
		parts = append(parts, string(c.Door))
	case c.Owner != HasNoServers:
		parts = append(parts, c.Script.String())
	}
	return strings.Join(parts, "; ")
}

// Wanted is in words what must come of the case.
func (c Case) Wanted() string {
	var either []string
	for _, want := range c.Want {
		either = append(either, want.String())
	}
	text := strings.Join(either, "; or ")
	for _, also := range c.Also {
		text += "; and " + also.String()
	}
	return text
}

// Watches reports whether the server sees its clients leave, which [Server.Quiet] waits for.
func (c Case) Watches() bool {
	return c.Door == Accepts && !slices.ContainsFunc(c.Script, func(step Step) bool { return step.words == forgets })
}

// Group is a part of the table.
type Group string

// The parts of the table, in its order.
const (
	Lines   Group = "The slot line, whole, in pieces, and with more behind it"
	Junk    Group = "Nonsense"
	Ends    Group = "Endings: end of stream and reset"
	Silence Group = "Silence and slowness"
	Ways    Group = "The way there"
	Limits  Group = "The rover's own side"
)

// Groups are all parts of the table, in its order.
func Groups() []Group { return []Group{Lines, Junk, Ends, Silence, Ways, Limits} }

// Door is how a server listens.
type Door string

// The ways to listen. Full and Refuses need raw sockets: see [TCP].
const (
	Accepts    Door = ""
	Unattended Door = "listens and never accepts"
	Full       Door = "listens, and its accept queue is full"
	Refuses    Door = "does not listen"
)

// Owner is what the rover's owner does, apart from roving.
type Owner string

// What an owner may do. A test that plays the case has to act it: the server cannot.
const (
	Roves        Owner = ""
	HasNoServers Owner = "the set of servers is empty"
	TicksTwice   Owner = "a second tick comes, while the one attempt allowed runs"
	PanicsInPick Owner = "the given pick function panics"
	PanicsInLog  Owner = "the given logger panics"
	StopsMidway  Owner = "the owner calls Stop in mid-attempt"
	CancelsIt    Owner = "the owner's context ends in mid-attempt"
	PassesIt     Owner = "the deadline of the owner's context passes in mid-attempt"
)

// Stream is where an event comes out.
type Stream string

// The streams; None is for attempts that end without an event.
const (
	None        Stream = "none"
	Connections Stream = "Connections"
	Unreachable Stream = "Unreachable"
	Errors      Stream = "Errors"
)

// Class is the kind of an error on [Errors].
type Class string

// The classes, by the names that the root package gives them.
const (
	Protocol  Class = "`*ProtocolError`"
	Resources Class = "`*LocalError`, which is `ErrResources`"
	NoServers Class = "`ErrNoServers`"
	Busy      Class = "`ErrBusy`"
	Panic     Class = "the panic, as an error"
)

// Outcome is the one event that comes of an attempt.
type Outcome struct {
	Stream Stream

	// For Connections: the slot, and what the kept socket does then: the client says Says, reads
	// Reads, and then Ends; nil when the socket stays open.
	Slot  int
	Says  string
	Reads string
	Ends  error

	// For Errors: the class. For a protocol error, Wrong is what came up to the byte that was
	// wrong: the error must be emitted at that byte, and its Line must begin so.
	Class Class
	Wrong string

	// For Unreachable and Errors: what errors.Is must find, nil for nothing in particular.
	Cause error
	// Timeout: the error is a net.Error whose Timeout is true.
	Timeout bool
	// Lookup: the error is a *net.DNSError; NotFound: one that says that there is no such host.
	Lookup, NotFound bool

	// After is when the event comes, in parts of the client's patience.
	After float64
}

// String is the outcome in words, with the names of the root package in backquotes.
func (o Outcome) String() string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	switch o.Stream {
	case None:
		return "no event; the socket is closed"
	case Connections:
		add("slot %d", o.Slot)
		if o.Reads != "" {
			add("the kept socket reads %s first", quote(o.Reads))
		}
		if o.Ends != nil {
			add("then `%v`", o.Ends)
		}
	case Errors:
		add("%s", o.Class)
		if o.Wrong != "" {
			add("emitted at the last byte of %s", quote(o.Wrong))
		}
	}
	if o.Cause != nil {
		add("`%v`", o.Cause)
	}
	switch {
	case o.NotFound:
		add("a `*net.DNSError` with `IsNotFound`")
	case o.Lookup:
		add("a `*net.DNSError`")
	}
	if o.Timeout {
		add("a `net.Error` with `Timeout()`")
	}
	text := string(o.Stream)
	if len(words) > 0 {
		text += ": " + strings.Join(words, ", ")
	}
	return text
}
