package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/callosum-go/rover"
	"github.com/reactivex/rxgo/v2"
)

// watch subscribes to all three streams at once. It calls keep with each
// connection, then report with each outcome and whether it was kept. done is
// closed when the streams have ended and every outcome is reported.
func watch(s *rover.Stream, keep func(*rover.Connection) bool, report func(outcome any, kept bool)) (done <-chan struct{}) {
	all := rover.Merge([]rxgo.Observable{s.Connections(), s.Unreachable(), s.Errors()})
	return all.ForEach(func(outcome any) {
		c, ok := outcome.(*rover.Connection)
		report(outcome, ok && keep(c))
	}, func(error) {}, func() {}) // the streams carry errors as values and do not fail
}

// describe makes an outcome an event.
func describe(outcome any, kept bool) event {
	switch o := outcome.(type) {
	case *rover.Connection:
		return connectionEvent(o, kept)
	case *rover.UnreachableError:
		return unreachableEvent(o)
	default:
		return errorEvent(o.(error))
	}
}

func connectionEvent(c *rover.Connection, kept bool) event {
	e := event{name: "connection", id: c.ID, detail: fmt.Sprintf("slot %-4d declined", c.Slot)}
	if kept {
		e.colour, e.detail = green, fmt.Sprintf("slot %-4d kept", c.Slot)
	}
	e.fields = struct {
		ID   string `json:"id"`
		Host string `json:"host"`
		Port int    `json:"port"`
		Slot int    `json:"slot"`
	}{c.ID, c.Server.Host, c.Server.Port, c.Slot}
	return e
}

func unreachableEvent(err *rover.UnreachableError) event {
	return event{name: "unreachable", colour: yellow, id: err.ID, detail: reason(err), fields: struct {
		ID    string `json:"id"`
		Host  string `json:"host"`
		Port  int    `json:"port"`
		Error string `json:"error"`
	}{err.ID, err.Server.Host, err.Server.Port, err.Err.Error()}}
}

func errorEvent(err error) event {
	e := event{name: "error", colour: red, detail: reason(err), fields: struct {
		Error string `json:"error"`
	}{err.Error()}}
	if wrong, ok := errors.AsType[*rover.ProtocolError](err); ok {
		e.id = wrong.ID
	}
	if local, ok := errors.AsType[*rover.LocalError](err); ok {
		e.id = local.ID
	}
	return e
}

// reason is the heart of an error, for people. It leaves the server out, which
// has its own place on the line.
func reason(err error) string {
	if wrong, ok := errors.AsType[*rover.ProtocolError](err); ok {
		return fmt.Sprintf("answered %q", wrong.Line)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "ended before its line"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "timed out"
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return lookup.Err
	}
	if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return strings.TrimPrefix(wrong.Err.Error(), "x509: ")
	}
	if number, ok := errors.AsType[errno](err); ok {
		return number.Error()
	}
	if unreachable, ok := errors.AsType[*rover.UnreachableError](err); ok {
		err = unreachable.Err
	}
	if local, ok := errors.AsType[*rover.LocalError](err); ok {
		err = local.Err
	}
	return oneLine(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "rover: "), "server: "))
}

// oneLine makes s fit to print: what is unprintable becomes a space.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, s)
}
