package rover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/callosum-go/rover/internal/due"
	"github.com/callosum-go/rover/internal/expiry"
	"github.com/callosum-go/rover/internal/offer"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/reactivex/rxgo/v2"
)

var (
	// ErrResources is wrapped by errors that are this process's own doing: no
	// descriptor, port or buffer was left for the attempt (EMFILE, ENFILE,
	// EADDRNOTAVAIL, ENOBUFS). The server is not to blame.
	ErrResources = errors.New("rover: out of local resources")
	// ErrTaken is what Keep returns after somebody else's Keep.
	ErrTaken = errors.New("rover: connection is taken")
	// ErrExpired is what Keep returns once the offer is over: declined, past
	// its KeepTimeout, or the stream has stopped.
	ErrExpired = errors.New("rover: connection is no longer on offer")
)

// A Server is an address where slots are given out: a host name or an IP
// address, without brackets, and a port from 1 to 65535.
type Server struct {
	Host string
	Port int
}

// Addr returns "host:port", with an IPv6 host in brackets, as dialers take it.
func (s Server) Addr() string   { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
func (s Server) String() string { return s.Addr() }

// literal says that the host is an IP address.
func (s Server) literal() bool {
	_, err := netip.ParseAddr(s.Host)
	return err == nil
}

func (s Server) check(id string) error {
	switch {
	case s.Host == "":
		return fmt.Errorf("rover: server %q: host is empty", id)
	case strings.ContainsAny(s.Host, "[]/ \t\r\n") || strings.Contains(s.Host, ":") && !s.literal():
		return fmt.Errorf("rover: server %q: host %q must be a plain name or address, without port, path, brackets or spaces", id, s.Host)
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("rover: server %q: port %d is out of range 1-65535", id, s.Port)
	}
	return nil
}

func checkAll(servers map[string]Server) (err error) {
	var lowest string // so that the same set always gives the same error
	for id, server := range servers {
		if wrong := server.check(id); wrong != nil && (err == nil || id < lowest) {
			lowest, err = id, wrong
		}
	}
	return err
}

// A Dialer opens connections: *net.Dialer, *tls.Dialer, a proxy's, a test's.
// network is always "tcp". Up to MaxInFlight calls run at once. It must return
// soon after ctx has ended, which it does at the dial timeout and when the
// stream stops: Stop waits for it. A panic of it is told on Errors.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// defaultDialer leaves keep-alive probes to Keep: setting them up is a tenth of
// what a socket costs, and most are declined within milliseconds.
var defaultDialer Dialer = &net.Dialer{KeepAlive: -1}

// An UnreachableError says that a server could not be talked to: Err is why,
// for errors.Is and errors.As. A server that ends the stream before its line
// is whole is io.ErrUnexpectedEOF; one that is silent or too slow is a
// net.Error whose Timeout is true.
type UnreachableError struct {
	ID     string
	Server Server
	Err    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("rover: server %q (%v) is unreachable: %v", e.ID, e.Server, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// plain is the error's text for the middle of another's.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "rover: ") }

// A PanicError is a panic in something the user gave: a Dialer, a Pick, a
// Logger. It unwraps to the value where that is an error.
type PanicError struct {
	In    string // "dialer", "pick", "logger"
	Value any    // what it panicked with
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("rover: panic in %s: %v", e.In, e.Value) }

func isPanic(err error) bool {
	_, is := err.(*PanicError)
	return is
}

func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// guarded, deferred, makes a panic in something the user gave an error.
func guarded(in string, err *error) {
	if value := recover(); value != nil {
		*err = &PanicError{In: in, Value: value, Stack: debug.Stack()}
	}
}

// A target is a server of the set, with its address ready to dial.
type target struct {
	id      string
	server  Server
	addr    string
	literal bool // the host is an IP address
}

func newTarget(id string, server Server) target {
	return target{id, server, server.Addr(), server.literal()}
}

// adopt puts up to n sets of the user's source in force.
func (s *Stream) adopt(sets <-chan rxgo.Item, n int) {
	for range n {
		item, ok := <-sets
		if !ok {
			return
		}
		servers, err := readSet(item)
		if err != nil {
			s.split(fmt.Errorf("rover: server set ignored, the last one stays: %w", err))
			continue
		}
		s.roster.Replace(servers)
	}
}

// readSet checks one item of a source of sets.
func readSet(item rxgo.Item) (map[string]target, error) {
	if item.Error() {
		return nil, item.E
	}
	servers, ok := item.V.(map[string]Server)
	if !ok {
		return nil, fmt.Errorf("got %T, want map[string]rover.Server", item.V)
	}
	return targets(servers), checkAll(servers)
}

func targets(servers map[string]Server) map[string]target {
	all := make(map[string]target, len(servers))
	for id, server := range servers {
		all[id] = newTarget(id, server)
	}
	return all
}

// An attempt is one dial and one slot line, and the context of its dialer.
type attempt struct {
	due.Context
	target
	stream  context.Context
	line    [maxLine]byte
	outcome any // what run returned
}

var errGone = &PanicError{In: "dialer", Value: "it ended its goroutine"}

// newAttempt lets *net.Dialer share the stream's Done channel, which spares a
// third of what a dial costs us: it keeps its context's deadline by itself,
// unless it has to look up a name or to ask a function of the user's.
func newAttempt(stream context.Context, to target, dialer Dialer) *attempt {
	a := &attempt{target: to, stream: stream}
	plain, ok := dialer.(*net.Dialer)
	a.Init(stream, ok && plain.ControlContext == nil && to.literal)
	return a
}

// connect dials and reads the slot line. size and n are as in readSlot.
func (a *attempt) connect(dialer Dialer) (conn net.Conn, slot, size, n int, err error) {
	defer guarded("dialer", &err)
	conn, err = dialer.DialContext(a, "tcp", a.addr)
	if err == nil && conn == nil {
		err = errors.New("the dialer returned neither connection nor error")
	}
	if err != nil {
		return nil, 0, 0, 0, err
	}
	if err = a.Guard(conn); err != nil {
		return conn, 0, 0, 0, err
	}
	slot, size, n, err = readSlot(conn, a.line[:])
	return conn, slot, size, n, err
}

// run makes the attempt and returns its one outcome: an *offering, an
// *UnreachableError, another error, or nil if the stream stopped meanwhile.
func (a *attempt) run(dialer Dialer, attempts *expiry.Queue[*due.Context]) any {
	conn, slot, size, n, err := a.connect(dialer)
	inTime := attempts.Remove(&a.Place)
	if inTime {
		a.Finish()
	}
	if a.stream.Err() != nil {
		socket.Refuse(conn)
		return nil
	}
	if !inTime && !isPanic(err) {
		err = socket.Timeout(err, conn)
	}
	if err == nil {
		return offer.New(greeting{a.target, slot, dialer == defaultDialer}, socket.Unread(conn, a.line[size:n]))
	}
	socket.Refuse(conn)
	switch {
	case isPanic(err):
		return err
	case errors.Is(err, ErrProtocol):
		return &ProtocolError{a.id, a.server, bytes.Clone(a.line[:n]), err}
	case socket.IsLocal(err):
		return fmt.Errorf("%w: server %q (%v): %w", ErrResources, a.id, a.server, err)
	default:
		return &UnreachableError{a.id, a.server, err}
	}
}

// A greeting is what a slot line told, an offering the hand-off of its socket.
type greeting struct {
	target
	slot  int
	quiet bool // keep-alive probes are off so far
}

type offering = offer.Offer[greeting]

func (g greeting) String() string { return fmt.Sprintf("slot %d", g.slot) }

// share gives somebody a Connection of their own for the offer.
func share(o *offering) *Connection {
	o.Hold()
	return &Connection{ID: o.About.id, Server: o.About.server, Slot: o.About.slot, offer: o}
}

// A Connection is the offer of a socket whose slot line has been read. Each
// subscriber gets one of its own for the same socket, to answer with Keep or
// Decline; who does neither leaves the socket to its KeepTimeout.
type Connection struct {
	ID     string // of the server in the set
	Server Server
	Slot   int // from 0

	offer *offering
	said  atomic.Bool // this holder's answer is given
}

// NewConnection makes a Connection with the same hand-off from any socket, for
// tests and other sources. There is no KeepTimeout: it is open until somebody
// keeps or declines it.
func NewConnection(id string, server Server, slot int, conn net.Conn) *Connection {
	o := offer.New(greeting{newTarget(id, server), slot, false}, conn)
	defer o.Leave(false)
	return share(o)
}

// Keep takes the socket, which is the caller's alone from then on: to use and
// to close. There is no deadline on it, and nothing behind the slot line is
// lost. It is what the Dialer returned, *net.TCPConn as a rule, unless bytes
// came together with the slot line: then a thin wrapper that reads them first.
//
// Only the first Keep of all subscribers succeeds; the others get ErrTaken.
// After Decline, the KeepTimeout or Stop it is ErrExpired.
func (c *Connection) Keep() (net.Conn, error) {
	if !c.said.Swap(true) && c.offer.End(offer.Kept) {
		if c.offer.About.quiet {
			socket.KeepAlive(c.offer.Conn)
		}
		return c.offer.Conn, nil
	}
	if c.offer.Fate() == offer.Kept {
		return nil, ErrTaken
	}
	return nil, ErrExpired
}

// Decline says that this subscriber does not want the socket. Once everyone
// who got it has said so, it is closed, by a reset where it is TCP: the server
// has its slot back at once. A second Decline, or one after Keep, does nothing.
func (c *Connection) Decline() {
	if !c.said.Swap(true) {
		c.offer.Leave(true)
	}
}

// String returns, for example, `slot 3 of "a" (127.0.0.1:4040)`.
func (c *Connection) String() string {
	return fmt.Sprintf("slot %d of %q (%v)", c.Slot, c.ID, c.Server)
}

// Stats are a stream's counters.
//
//	Attempts = InFlight + Connections + Unreachable + ProtocolErrors + Failures + Aborted
//	Connections = Open + Kept + Declined + Expired
type Stats struct {
	Attempts       int // begun
	InFlight       int // under way now
	Connections    int // offers made
	Unreachable    int
	ProtocolErrors int
	Failures       int // our own limits and panics
	Aborted        int // by Stop
	Busy           int // ticks skipped: MaxInFlight
	NoServers      int // ticks skipped: empty set

	Open     int // offers nobody has answered yet
	Kept     int
	Declined int
	Expired  int
}

// A ledger counts what becomes of attempts and offers.
type ledger struct {
	mu    sync.Mutex
	stats Stats
}

func (l *ledger) add(count func(*Stats)) {
	l.mu.Lock()
	count(&l.stats)
	l.mu.Unlock()
}

// busy counts a tick that found max attempts in flight, and says if it did.
func (l *ledger) busy(max int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stats.InFlight < max {
		return false
	}
	l.stats.Busy++
	return true
}

// settle counts an attempt's outcome.
func (l *ledger) settle(outcome any) {
	l.add(func(n *Stats) {
		n.InFlight--
		switch outcome.(type) {
		case nil:
			n.Aborted++
		case *offering:
			n.Connections++
			n.Open++
		case *UnreachableError:
			n.Unreachable++
		case *ProtocolError:
			n.ProtocolErrors++
		default:
			n.Failures++
		}
	})
}

// closed counts an offer's end.
func (l *ledger) closed(fate offer.Fate) {
	l.add(func(n *Stats) {
		n.Open--
		switch fate {
		case offer.Kept:
			n.Kept++
		case offer.Declined:
			n.Declined++
		case offer.Expired:
			n.Expired++
		}
	})
}
