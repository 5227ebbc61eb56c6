package rover

// This file is longer than others: a server, what becomes of one attempt at it, and
// the offer that comes of it are one thing to read, and the root has four files.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/addresses"
	"github.com/callosum-go/rover/internal/expiry"
	"github.com/callosum-go/rover/internal/offer"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/internal/worker"
)

var (
	// ErrResources is wrapped by every *LocalError: what failed is on this side,
	// and the server is not to blame.
	ErrResources = errors.New("rover: out of local resources")
	// ErrDropped is the outcome of an attempt whose server left the set
	// meanwhile. It is on none of the three streams.
	ErrDropped = errors.New("rover: server has left the set")
	// ErrTaken is what Keep returns after somebody else's Keep.
	ErrTaken = errors.New("rover: connection is taken")
	// ErrKept is what a second Keep of the same *Connection returns.
	ErrKept = errors.New("rover: connection is kept already, by this Keep's caller")
	// ErrExpired is wrapped by what Keep returns once the offer is over. The text
	// says how it ended: declined, expired, or stopped.
	ErrExpired = errors.New("rover: connection is no longer on offer")

	errNoConn = errors.New("the dialer returned neither connection nor error")
)

// A Server is an address where slots are given out: a host name or an IP
// address, without brackets, and a port from 1 to 65535. As text, in JSON, flags
// and files, it is "host:port".
type Server struct {
	Host string
	Port int
}

// Addr returns "host:port", with an IPv6 host in brackets, as dialers take it.
func (s Server) Addr() string   { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
func (s Server) String() string { return s.Addr() }

// MarshalText returns Addr, or nothing for the zero Server.
func (s Server) MarshalText() ([]byte, error) {
	if s == (Server{}) {
		return []byte{}, nil
	}
	return []byte(s.Addr()), nil
}

// UnmarshalText reads "host:port". The error says what is wrong.
func (s *Server) UnmarshalText(text []byte) error {
	host, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return fmt.Errorf("rover: server %q must be host:port", text)
	}
	number, err := strconv.ParseUint(port, 10, 31)
	if err != nil {
		return fmt.Errorf("rover: server %q: port must be a number from 1 to 65535", text)
	}
	read := Server{host, int(number)}
	if err := read.check(); err != nil {
		return fmt.Errorf("rover: server %q: %w", text, err)
	}
	*s = read
	return nil
}

func (s Server) check() error {
	switch {
	case s.Host == "":
		return errors.New("host is empty")
	case strings.ContainsAny(s.Host, "[]/ \t\r\n") || strings.Contains(s.Host, ":") && !literal(s.Host):
		return fmt.Errorf("host %q must be a plain name or address, without port, path, brackets or spaces", s.Host)
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("port %d is out of range 1-65535", s.Port)
	}
	return nil
}

// literal says that the host is an IP address.
func literal(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// checkServer says what is wrong with an entry of a set.
func checkServer(id string, server Server) error {
	if id == "" {
		return fmt.Errorf("rover: server %v: id must not be empty", server)
	}
	if err := server.check(); err != nil {
		return fmt.Errorf("rover: server %q: %w", id, err)
	}
	return nil
}

// checkServers joins what is wrong with a set, in the order of the ids.
func checkServers(servers map[string]Server) error {
	var wrong []error
	for id, server := range servers {
		if err := checkServer(id, server); err != nil {
			wrong = append(wrong, err)
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(wrong...)
}

// A Dialer opens connections: *net.Dialer, *tls.Dialer, a proxy's, a test's.
// network is always "tcp". Up to MaxInFlight calls run at once. It should return
// soon after ctx has ended, which it does at the dial timeout and when the
// stream stops. One that does not is left behind: its attempt ends without it.
// A panic of it is on Errors.
//
// A *net.Dialer is given a name's addresses one by one: all of them are tried,
// in random order within a family, as RFC 8305 says. Other dialers are given
// the name. A connection that wraps another one should have a method NetConn,
// as *tls.Conn has: through it a declined socket is found and reset.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// defaultDialer leaves keep-alive probes to Keep: setting them up is a tenth of
// what a socket costs, and most are declined within milliseconds.
var defaultDialer Dialer = &net.Dialer{KeepAlive: -1}

// An Outcome is what became of one attempt, or of a tick that made none. In
// JSON, Err is its text and Took is like "1.5ms".
type Outcome struct {
	Tick   any           // what ticked
	ID     string        // of the server in the set; "": none was chosen
	Server Server        // zero: none was chosen
	Addr   string        // what answered or failed last, "" if none did
	Slot   int           // if Err is nil
	Err    error         // *UnreachableError, *ProtocolError, *LocalError, *PanicError, ErrDropped, what wraps ErrNoServers, ErrBusy, or a Pick's bad number
	Begun  time.Time     // when it ticked
	Took   time.Duration // until the outcome
}

// MarshalJSON writes the outcome with lower-case names.
func (o Outcome) MarshalJSON() ([]byte, error) {
	out := eventJSON{ID: o.ID, Server: o.Server, Addr: o.Addr, Begun: &o.Begun, Took: o.Took.String()}
	if o.Tick != nil {
		out.Tick = fmt.Sprint(o.Tick)
	}
	if o.Err != nil {
		out.Error = o.Err.Error()
	} else {
		out.Slot = &o.Slot
	}
	return json.Marshal(out)
}

// eventJSON is what the JSON of events and errors has in common.
type eventJSON struct {
	Tick   string     `json:"tick,omitempty"`
	ID     string     `json:"id"`
	Server Server     `json:"server"`
	Addr   string     `json:"addr,omitempty"`
	Slot   *int       `json:"slot,omitempty"`
	Line   string     `json:"line,omitempty"`
	Error  string     `json:"error,omitempty"`
	Begun  *time.Time `json:"begun,omitempty"`
	Took   string     `json:"took,omitempty"`
}

// An UnreachableError says that a server could not be talked to: Err is why,
// for errors.Is and errors.As; of a name with several addresses, why each could
// not. A server that ends the stream before its line is whole is
// io.ErrUnexpectedEOF; one that is silent or too slow is a net.Error whose
// Timeout is true.
type UnreachableError struct {
	ID     string
	Server Server
	Err    error
	Addr   string        // what failed last, "" if there is no telling
	Took   time.Duration // from tick to failure
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("rover: server %q (%v) is unreachable: %v", e.ID, e.Server, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// MarshalJSON writes the error with its cause as text.
func (e *UnreachableError) MarshalJSON() ([]byte, error) {
	return json.Marshal(eventJSON{ID: e.ID, Server: e.Server, Addr: e.Addr, Error: e.Err.Error(), Took: e.Took.String()})
}

// A ProtocolError says that a server answered with something else than a slot
// line. Line is what came, at most 32 bytes. Err wraps ErrProtocol and names
// the first wrong byte.
type ProtocolError struct {
	ID     string
	Server Server
	Line   []byte
	Err    error
	Addr   string        // what answered
	Took   time.Duration // from tick to the wrong byte
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("rover: server %q (%v) answered %q: %s", e.ID, e.Server, e.Line, plain(e.Err))
}

func (e *ProtocolError) Unwrap() error { return e.Err }

// MarshalJSON writes the error with its cause as text.
func (e *ProtocolError) MarshalJSON() ([]byte, error) {
	return json.Marshal(eventJSON{ID: e.ID, Server: e.Server, Addr: e.Addr, Line: string(e.Line), Error: plain(e.Err), Took: e.Took.String()})
}

// A LocalError says that an attempt failed on this side: no descriptor, port,
// buffer or memory was left (EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM), the
// dialer's own address is in use (EADDRINUSE), this host's firewall refused (EPERM,
// EACCES), or the proxy on the way could not be reached. It wraps ErrResources
// and the cause.
type LocalError struct {
	ID     string
	Server Server
	Err    error
	Addr   string        // what failed last, "" if there is no telling
	Took   time.Duration // from tick to failure
}

func (e *LocalError) Error() string {
	return fmt.Sprintf("rover: attempt at server %q (%v) failed on this side: %v", e.ID, e.Server, e.Err)
}

func (e *LocalError) Unwrap() []error { return []error{ErrResources, e.Err} }

// MarshalJSON writes the error with its cause as text.
func (e *LocalError) MarshalJSON() ([]byte, error) {
	return json.Marshal(eventJSON{ID: e.ID, Server: e.Server, Addr: e.Addr, Error: e.Err.Error(), Took: e.Took.String()})
}

// plain is the error's text for the middle of another's.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "rover: ") }

// A PanicError is a panic in something the user gave: a Dialer, a Pick, a
// Logger, ticks or server sets. It unwraps to the value where that is an error.
type PanicError struct {
	In    string // "dialer", "pick", "logger", "ticks", "server sets"
	Value any    // what it panicked with, or that it ended its goroutine
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("rover: panic in %s: %v", e.In, e.Value) }

func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// sameError is the same for errors that are the same again: of one kind, one
// server and one cause, whatever their ports and times.
func sameError(err error) string {
	switch e := err.(type) {
	case *ProtocolError:
		return fmt.Sprintf("rover: server %q answered %s", e.ID, plain(e.Err))
	case *LocalError:
		return fmt.Sprintf("rover: attempts failed on this side: %s", rootCause(e.Err))
	}
	return err.Error()
}

// rootCause is the last of a chain of causes.
func rootCause(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

// goexit is the Value of a PanicError for runtime.Goexit.
const goexit = "it ended its goroutine"

// guarded calls what the user gave. A panic in it, or the end of its goroutine,
// goes to failed: in the second case guarded does not return.
func guarded(in string, call func(), failed func(*PanicError)) {
	returned := false
	defer func() {
		if value := recover(); value != nil {
			failed(&PanicError{in, value, debug.Stack()})
		} else if !returned {
			failed(&PanicError{in, goexit, debug.Stack()})
		}
	}()
	call()
	returned = true
}

// apart is guarded on a goroutine of its own, so that the caller goes on also
// when the call ends its goroutine.
func apart(in string, call func(), failed func(*PanicError)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		guarded(in, call, failed)
	}()
	<-done
}

// An attempt is one dial and one slot line, and the context of its dialer.
type attempt struct {
	expiry.Context
	place   expiry.Node[*attempt]
	worker  atomic.Pointer[worker.Worker[*attempt]] // who makes it; nil: nobody so far
	stream  context.Context
	begun   time.Time
	tick    any
	id      string
	server  Server
	to      string      // the server's Addr
	literal bool        // the host is an IP address
	settled atomic.Bool // its outcome is out
	line    [maxLine]byte
}

// A result is an offer, or why there is none, or neither: the stream stopped.
type result struct {
	offer *offering
	conn  net.Conn // the offer's
	err   error
}

// dropped is the result of an attempt whose server has left the set meanwhile.
func (r result) dropped() result {
	if _, panicked := r.err.(*PanicError); panicked {
		return r
	}
	socket.Refuse(r.conn)
	return result{err: ErrDropped}
}

// newAttempt lets *net.Dialer share the stream's Done channel, which spares a
// third of what a dial costs us: it keeps its context's deadline by itself,
// unless it has to look up a name or to ask a function of the user's.
func newAttempt(stream context.Context, tick any, id string, server Server, dialer Dialer, timeout time.Duration) *attempt {
	a := &attempt{stream: stream, begun: time.Now(), tick: tick, id: id, server: server, literal: literal(server.Host)}
	plain, ok := dialer.(*net.Dialer)
	a.Init(stream, a.begun.Add(timeout), ok && plain.ControlContext == nil && a.literal)
	return a
}

// run makes the attempt. What the dialer and its errors and sockets do is
// guarded, to the end.
func (a *attempt) run(dialer Dialer) (r result) {
	var conn net.Conn
	guarded("dialer", func() { r = a.try(dialer, &conn) }, func(p *PanicError) {
		socket.Refuse(conn)
		r = a.failed(p)
	})
	return r
}

func (a *attempt) try(dialer Dialer, conn *net.Conn) result {
	slot, n, err := a.connect(dialer, conn)
	late := a.Finish() == context.DeadlineExceeded
	if a.cut() {
		socket.Refuse(*conn)
		return result{}
	}
	if late {
		err = socket.Timeout(err, *conn)
	}
	if err != nil {
		return result{err: a.blame(*conn, n, err)}
	}
	offer := newOffering(a.id, a.server, slot, *conn, dialer == defaultDialer)
	offer.connection.Took = time.Since(a.begun)
	return result{offer: offer, conn: *conn}
}

// connect dials and reads the slot line, n bytes of it. The socket is the
// caller's as soon as there is one, also if what comes then panics.
func (a *attempt) connect(dialer Dialer, conn *net.Conn) (slot, n int, err error) {
	var dialed net.Conn
	if plain, ok := dialer.(*net.Dialer); ok && !a.literal {
		dialed, err = addresses.Dial(a, plain, "tcp", a.server.Host, a.server.Port)
	} else {
		dialed, err = dialer.DialContext(a, "tcp", a.to)
	}
	if err != nil {
		return 0, 0, err
	}
	if dialed == nil {
		return 0, 0, errNoConn
	}
	*conn = dialed
	if err = a.Guard(dialed); err == nil {
		slot, n, err = readSlot(dialed, a.line[:])
	}
	return slot, n, err
}

// failed is the result of an attempt whose dialer panicked or has ended its
// goroutine.
func (a *attempt) failed(p *PanicError) result {
	a.Abort(context.Canceled) // closes the socket, if there is one
	if a.cut() {
		return result{}
	}
	return result{err: p}
}

// cut says that the stream has ended. Its deadline counts as soon as it has
// passed: dialers keep it by themselves, and may find it before the context
// does. What became of an attempt since then says nothing of the server.
func (a *attempt) cut() bool {
	end, ok := a.stream.Deadline()
	return a.stream.Err() != nil || ok && !time.Now().Before(end)
}

// blame says whose fault an error is, and closes the socket.
func (a *attempt) blame(conn net.Conn, n int, err error) error {
	defer socket.Refuse(conn)
	took, addr := time.Since(a.begun), a.addr(conn, err)
	switch {
	case errors.Is(err, ErrProtocol):
		n += socket.Arrived(conn, a.line[n:])
		return &ProtocolError{a.id, a.server, bytes.Clone(a.line[:n]), err, addr, took}
	case socket.IsLocal(err):
		return &LocalError{a.id, a.server, err, addr, took}
	}
	return &UnreachableError{a.id, a.server, err, addr, took}
}

// addr is what answered, or failed last.
func (a *attempt) addr(conn net.Conn, err error) string {
	if addr := socket.Peer(conn); addr != "" {
		return addr
	}
	if addr := addresses.Last(err); addr != "" {
		return addr
	}
	if a.literal {
		return a.to
	}
	return ""
}

// outcome is what became of the attempt.
func (a *attempt) outcome(r result) Outcome {
	o := Outcome{Tick: a.tick, ID: a.id, Server: a.server, Err: r.err, Begun: a.begun, Took: time.Since(a.begun)}
	switch err := r.err.(type) {
	case nil:
		o.Slot, o.Addr = r.offer.connection.Slot, socket.Peer(r.conn)
	case *UnreachableError:
		o.Addr, o.Took = err.Addr, err.Took
	case *ProtocolError:
		o.Addr, o.Took = err.Addr, err.Took
	case *LocalError:
		o.Addr, o.Took = err.Addr, err.Took
	}
	return o
}

// An offering is a socket whose slot line was read, until somebody has it or
// it is closed.
type offering struct {
	offer.Offer
	place      expiry.Node[*offering]
	from       *open // nil: made by NewConnection
	number     int   // of those of its stream
	quiet      bool  // keep-alive probes are off so far
	shared     atomic.Bool
	connection Connection // the first holder's
}

func newOffering(id string, server Server, slot int, conn net.Conn, quiet bool) *offering {
	o := &offering{quiet: quiet}
	o.connection = Connection{ID: id, Server: server, Slot: slot, offer: o}
	o.Init(conn, o)
	return o
}

// share gives somebody a Connection of their own for the offer.
func (o *offering) share() *Connection {
	o.Hold()
	if !o.shared.Swap(true) {
		return &o.connection
	}
	c := &o.connection
	return &Connection{ID: c.ID, Server: c.Server, Slot: c.Slot, Took: c.Took, offer: o}
}

func shared(v any) any { return v.(*offering).share() }

// A Connection is the offer of a socket whose slot line has been read. Each
// subscriber gets one of its own for the same socket, to answer with Keep or
// Decline; who does neither leaves the socket to its KeepTimeout.
type Connection struct {
	ID     string // of the server in the set
	Server Server
	Slot   int           // from 0
	Took   time.Duration // from tick to slot line; 0 of NewConnection

	offer *offering
	said  atomic.Int32 // this holder's answer: saidKeep, saidLeave, or nothing so far
}

const (
	saidLeave = iota + 1
	saidKeep
)

// NewConnection makes a Connection with the same hand-off from any socket, for
// tests and other sources. There is no KeepTimeout: it is open until somebody
// keeps or declines it.
func NewConnection(id string, server Server, slot int, conn net.Conn) *Connection {
	o := newOffering(id, server, slot, conn, false)
	defer o.Leave(offer.Open)
	return o.share()
}

// Keep takes the socket, which is the caller's alone from then on: to use and
// to close. There is no deadline on it. It is what the Dialer returned,
// *net.TCPConn as a rule, read up to the end of the slot line and no further.
//
// Only the first Keep of all subscribers succeeds; the others get ErrTaken.
// After Decline, the KeepTimeout or Stop the error wraps ErrExpired and says
// which. A second Keep by the keeper is ErrKept.
func (c *Connection) Keep() (net.Conn, error) {
	if !c.said.CompareAndSwap(0, saidKeep) {
		if c.said.Load() == saidKeep {
			return nil, ErrKept
		}
		return nil, c.offer.lost()
	}
	c.offer.answered()
	conn, ok := c.offer.Keep()
	if !ok {
		c.said.Store(saidLeave)
		return nil, c.offer.lost()
	}
	socket.Ready(conn, c.offer.quiet)
	return conn, nil
}

// answered notes that somebody does answer offers.
func (o *offering) answered() {
	if o.from != nil && !o.from.answered.Load() {
		o.from.answered.Store(true)
	}
}

// delivered gives an offer its whole time from now on. False: it is over.
func (o *offering) delivered() bool {
	if o.from == nil {
		return o.Fate() == offer.Open
	}
	return o.from.queue.Renew(&o.place, time.Now())
}

// fresh says that a value can still be used, and gives an offer its whole time
// from now on.
func fresh(v any) bool {
	c, ok := v.(*Connection)
	if !ok || c.offer.delivered() {
		return true
	}
	c.said.CompareAndSwap(0, saidLeave) // whoever took it off the queue ends it, and says why
	return false
}

func over(v any) <-chan struct{} {
	if c, ok := v.(*Connection); ok {
		return c.offer.Done()
	}
	return nil
}

// lost is why there is nothing to keep any more.
func (o *offering) lost() error {
	switch o.Fate() {
	case offer.Kept:
		return ErrTaken
	case offer.Expired:
		return fmt.Errorf("%w: expired, nobody kept it within the keep timeout", ErrExpired)
	case offer.Stopped:
		return fmt.Errorf("%w: the stream has stopped", ErrExpired)
	}
	return fmt.Errorf("%w: declined", ErrExpired)
}

// Decline says that this subscriber does not want the socket. Once everyone
// who got it has said so, it is closed, by a reset where it is TCP: the server
// has its slot back at once. A second Decline, or one after Keep, does nothing.
func (c *Connection) Decline() {
	c.offer.answered()
	c.leave(offer.Declined)
}

// leave is this holder's answer, given by it or for it.
func (c *Connection) leave(why offer.Fate) {
	if c.said.CompareAndSwap(0, saidLeave) {
		c.offer.Leave(why)
	}
}

// String returns, for example, `slot 3 of "a" (127.0.0.1:4040)`.
func (c *Connection) String() string {
	return fmt.Sprintf("slot %d of %q (%v)", c.Slot, c.ID, c.Server)
}

// The open offers of a stream.
type open struct {
	queue    *expiry.Queue[*offering]
	tally    *tally
	answered atomic.Bool // somebody has kept or declined one
	shown    int         // so far; under the lock of the Subject
}

// show shows an offer to all subscribers. It is open until it has Ended.
func (all *open) show(o *offering, to *hot.Subject) {
	o.from = all
	to.Update(func(bool) (any, bool) { // or a newcomer would get it twice
		all.shown++
		o.number = all.shown
		all.queue.Add(&o.place, o, time.Now())
		return o, true
	})
	o.Leave(offer.Open)
}

// newestFirst gives what a newcomer is offered, and nothing that somebody has
// left already, who may be the one who comes back.
func (all *open) newestFirst() iter.Seq[any] {
	return func(yield func(any) bool) {
		offers := all.queue.All()
		slices.SortFunc(offers, func(a, b *offering) int { return b.number - a.number })
		for _, o := range offers {
			if o.Untouched() && !yield(o) {
				return
			}
		}
	}
}

// Ended counts an offer's end, before it leaves the queue: when Stop finds no
// offer there, all are counted.
func (o *offering) Ended(fate offer.Fate) {
	if o.from == nil {
		return
	}
	o.from.tally.count(func(n *Stats) {
		n.Open--
		switch fate {
		case offer.Kept:
			n.Kept++
		case offer.Expired:
			n.Expired++
		case offer.Overflowed:
			n.Overflowed++
		case offer.Left:
			n.Left++
			n.Declined++
		default:
			n.Declined++
		}
	})
	o.from.queue.Remove(&o.place)
}

// Stats are a stream's counters. At every moment
//
//	Ticks = Attempts + Busy + NoServers + BadPicks + Owed
//	Attempts = InFlight + Connections + Unreachable + ProtocolErrors + Failures + Aborted
//	Connections = Open + Kept + Declined + Expired + Overflowed
type Stats struct {
	Ticks     int // that came
	Busy      int // of these, skipped: MaxInFlight
	NoServers int // skipped: empty set, or a To that is not in it
	BadPicks  int // skipped: Pick returned what is out of range, or failed
	Owed      int // 1 while a tick waits for a server to come
	Missed    int // that the interval could not make in time

	Attempts       int // begun
	InFlight       int // under way now
	Connections    int // offers made
	Unreachable    int
	ProtocolErrors int
	Failures       int // our own limits and panics
	Aborted        int // by Stop, or for their server has left the set

	Open       int // offers nobody has answered yet
	Kept       int
	Declined   int // by all who got it, their leaving, or Stop
	Expired    int // not answered within the KeepTimeout
	Overflowed int // given up by full queues
	Left       int // of Declined: all who got it left without an answer

	Undelivered int // events on Unreachable and Errors that a full queue gave up, for each subscriber
}

// A tally counts what becomes of ticks, attempts and offers.
type tally struct {
	counting sync.Mutex
	stats    Stats
}

func (t *tally) now() Stats {
	t.counting.Lock()
	defer t.counting.Unlock()
	return t.stats
}

func (t *tally) count(change func(*Stats)) {
	t.counting.Lock()
	defer t.counting.Unlock()
	change(&t.stats)
}
