package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

func failureEvent(err error) event {
	if unreachable, ok := err.(*rover.UnreachableError); ok {
		return unreachableEvent(unreachable)
	}
	return errorEvent(err)
}

// What is in the JSON of several events. Text shows the same.
type (
	serverFields struct {
		ID   string `json:"id"`
		Host string `json:"host"`
		Port int    `json:"port"`
	}
	slotFields struct {
		serverFields
		Slot int `json:"slot"`
	}
	causeFields struct {
		Cause string `json:"cause"` // as text shows it
		Error string `json:"error"` // in full
	}
	millis float64 // a duration
)

func inMillis(d time.Duration) millis { return millis(float64(d.Round(time.Microsecond)) / 1e6) }

func fieldsOf(id string, at rover.Server) serverFields { return serverFields{id, at.Host, at.Port} }

// connectionEvent is an offer's; verdict is what became of it.
func connectionEvent(id string, at rover.Server, slot int, verdict string, took time.Duration) event {
	kept := strings.HasPrefix(verdict, "kept")
	e := event{name: "connection", id: id, detail: fmt.Sprintf("slot %-4d %s", slot, verdict), fields: struct {
		slotFields
		Kept    bool   `json:"kept"`
		Verdict string `json:"verdict"`
		Took    millis `json:"took_ms"`
	}{slotFields{fieldsOf(id, at), slot}, kept, verdict, inMillis(took)}}
	if kept {
		e.colour = green
	}
	return e
}

// lostEvent is of a connection that broke.
func lostEvent(c pool.Change) event {
	return event{name: "lost", colour: yellow, id: c.ID, detail: fmt.Sprintf("slot %d", c.Slot),
		fields: slotFields{fieldsOf(c.ID, c.Server), c.Slot}}
}

func unreachableEvent(err *rover.UnreachableError) event {
	return event{name: "unreachable", colour: yellow, id: err.ID, detail: reason(err),
		fields: failed(err.ID, err.Server, err.Took, err.Err)}
}

// errorEvent is of any other error. One that is about a server has its fields.
func errorEvent(err error) event {
	e := event{name: "error", colour: red, detail: reason(err), fields: causeFields{reason(err), err.Error()}}
	if wrong, ok := errors.AsType[*rover.ProtocolError](err); ok {
		e.id, e.fields = wrong.ID, failed(wrong.ID, wrong.Server, wrong.Took, wrong)
	}
	if local, ok := errors.AsType[*rover.LocalError](err); ok {
		e.id, e.fields = local.ID, failed(local.ID, local.Server, local.Took, local)
	}
	return e
}

// failed is an attempt that brought nothing.
func failed(id string, at rover.Server, took time.Duration, err error) any {
	return struct {
		serverFields
		causeFields
		Took millis `json:"took_ms"`
	}{fieldsOf(id, at), causeFields{reason(err), err.Error()}, inMillis(took)}
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
