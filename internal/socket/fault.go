package socket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"
)

// IsLocal says whether an attempt failed by this process's or host's own
// limits, for which the server is not to blame: no descriptor, buffer, memory
// or port was left, our own firewall forbade it, or the proxy on the way to it
// could not be dialed.
//
// Of several errors, one an address, each must be local. An address of a
// family that this host does not use says nothing, beside others: whether it
// has an address of that family is asked of the system.
func IsLocal(err error) bool { return judge{here, canReach}.whose(err, nil) == ours }

// IsGone says whether an error is one after which a connection works in neither
// direction. It leaves out io.EOF, which ends only one, and deadlines, which
// end nothing.
func IsGone(err error) bool {
	return has(here.gone, err) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

type fault int

const (
	nobodys fault = iota
	ours
	theirs
)

type judge struct {
	system
	canReach func(net.Addr) bool // the host has an address of that one's family
}

// whose walks down to the causes. op is the last network operation on the way.
func (j judge) whose(err error, op *net.OpError) fault {
	switch e := err.(type) {
	case nil:
		return nobodys
	case *net.DNSError:
		return j.lookup(e)
	case *net.OpError:
		if isProxy(e) && dialed(e.Err) {
			return ours
		}
		return j.whose(e.Err, e)
	case *os.SyscallError:
		if e.Syscall == "bind" {
			op = nil // the address is our own
		}
		return j.whose(e.Err, op)
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return j.whose(inner, op)
		}
	case interface{ Unwrap() []error }:
		worst := nobodys
		for _, inner := range e.Unwrap() {
			if reflect.TypeOf(err) == sentence && isName(inner) {
				continue
			}
			worst = max(worst, j.whose(inner, op))
		}
		return worst
	}
	return j.leaf(err, op)
}

func (j judge) leaf(err error, op *net.OpError) fault {
	switch {
	case has(j.family, err) && op != nil && op.Op == "dial" && op.Addr != nil && !j.canReach(op.Addr):
		return nobodys
	case has(j.limits, err):
		return ours
	default:
		return theirs
	}
}

// lookup reads the text: a failed lookup keeps no more of its cause.
func (j judge) lookup(err *net.DNSError) fault {
	for _, limit := range j.limits {
		if strings.Contains(err.Err, limit.Error()) {
			return ours
		}
	}
	return theirs
}

// isProxy knows errors of net/http and of golang.org/x/net/proxy.
func isProxy(err *net.OpError) bool { return err.Op == "proxyconnect" || err.Op == "socks connect" }

// dialed says that it was the dial that failed, of the proxy then. What the
// proxy says of the server is a text, and what ends the talk with it no dial.
func dialed(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// A sentence, made by fmt.Errorf with more than one %w, may name its kind before
// the cause: "%w: %w". A list, of errors.Join and others, has causes alone.
var sentence = reflect.TypeOf(fmt.Errorf("%w: %w", io.EOF, io.EOF))

// isName says that an error is a mere name, as errors.New makes them.
func isName(err error) bool {
	return reflect.TypeOf(err) == name && err != io.EOF && err != io.ErrUnexpectedEOF
}

var name = reflect.TypeOf(errors.New(""))

// canReach connects a UDP socket, which sends nothing and needs no more than an
// address of our own to send from. It knows nothing better than yes where it
// fails for another reason.
func canReach(addr net.Addr) bool {
	if _, err := netip.ParseAddrPort(addr.String()); err != nil {
		return true // a name, which is not looked up for this
	}
	conn, err := net.Dial("udp", addr.String())
	if err == nil {
		_ = conn.Close()
	}
	return !has(here.family, err)
}
