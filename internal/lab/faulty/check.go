//go:build !plan9

package faulty

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// CheckCause checks what the standard library knows of an attempt's error: its cause, and whether
// it is a timeout or a failed lookup. It returns what is wrong, or nil.
func (o Outcome) CheckCause(err error) error {
	var (
		network net.Error
		lookup  *net.DNSError
	)
	switch {
	case o.Cause != nil && !errors.Is(err, o.Cause):
	case o.Timeout && !(errors.As(err, &network) && network.Timeout()):
	case (o.Lookup || o.NotFound) && !errors.As(err, &lookup):
	case o.NotFound && !lookup.IsNotFound:
	default:
		return nil
	}
	return fmt.Errorf("want %s; got the error %w", o, err)
}

// CheckKept does with a kept connection what the outcome says. It returns what is wrong, or nil.
func (o Outcome) CheckKept(conn net.Conn) error {
	if o.Says != "" {
		if _, err := io.WriteString(conn, o.Says); err != nil {
			return fmt.Errorf("want %s; cannot write to the connection: %w", o, err)
		}
	}
	got := make([]byte, len(o.Reads))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != o.Reads {
		return fmt.Errorf("want %s; read %q and then %v", o, got, err)
	}
	if o.Ends == nil {
		return nil
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, o.Ends) {
		return fmt.Errorf("want %s; the end was %d bytes and %v", o, n, err)
	}
	return nil
}
