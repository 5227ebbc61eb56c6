package addresses

import (
	"context"
	"errors"
	"net"
	"strings"
)

// An Error has the errors of all the addresses of a name that were tried, for
// errors.Is and errors.As. It is a net.Error.
type Error struct {
	// Each is a *net.OpError with Addr as a rule. The last one is of the address
	// that failed last.
	Each []error
	late bool
}

// Error is one line: `[::1]:80: connect: no route to host; 127.0.0.1:80: i/o timeout`.
func (e *Error) Error() string {
	var texts []string
	for _, err := range e.Each {
		text := err.Error()
		if op, ok := err.(*net.OpError); ok && op.Addr != nil && op.Err != nil {
			text = op.Addr.String() + ": " + op.Err.Error()
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

func (e *Error) Unwrap() []error { return e.Each }

// Timeout says that the time for the name ran out, or for each address.
func (e *Error) Timeout() bool { return e.late }

// Temporary is Timeout: it is there for net.Error.
func (e *Error) Temporary() bool { return e.late }

// failure is a name's error from its addresses', at least one.
func failure(ctx context.Context, errs []error) error {
	late := 0
	for _, err := range errs {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			late++
		}
	}
	passed := errors.Is(ctx.Err(), context.DeadlineExceeded)
	if len(errs) == 1 && (late == 1 || !passed) {
		return errs[0]
	}
	return &Error{errs, passed || late == len(errs)}
}

// Last is the address that failed last, of an error of Dial or of net.Dialer:
// "" if none was dialed.
func Last(err error) string {
	if all, ok := errors.AsType[*Error](err); ok {
		return Last(all.Each[len(all.Each)-1])
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		return op.Addr.String()
	}
	return ""
}
