package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

func failureEvent(err error) event {
	if unreachable, ok := err.(*rover.UnreachableError); ok {
		return unreachableEvent(unreachable)
	}
	return errorEvent(err)
}

// connectionEvent is an offer's; verdict is what became of it.
func connectionEvent(id string, at rover.Server, slot int, verdict string) event {
	e := event{name: "connection", id: id, detail: fmt.Sprintf("slot %-4d %s", slot, verdict), fields: slotFields(id, at, slot)}
	if strings.HasPrefix(verdict, "kept") {
		e.colour = green
	}
	return e
}

// lostEvent is of a connection that broke.
func lostEvent(c pool.Change) event {
	return event{name: "lost", colour: yellow, id: c.ID, detail: fmt.Sprintf("slot %d", c.Slot), fields: slotFields(c.ID, c.Server, c.Slot)}
}

func slotFields(id string, at rover.Server, slot int) any {
	return struct {
		ID   string `json:"id"`
		Host string `json:"host"`
		Port int    `json:"port"`
		Slot int    `json:"slot"`
	}{id, at.Host, at.Port, slot}
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
