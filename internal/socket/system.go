package socket

import (
	"errors"
	"runtime"
	"slices"
)

// A system is what an operating system's errors mean to somebody who dials.
type system struct {
	limits []error // our own: no descriptor, buffer or port is left, or our firewall forbids it
	family []error // how a connect fails where this host has no address of that family, and else too
	gone   []error // the connection works in neither direction any more
}

var here = systemOf(runtime.GOOS)

func systemOf(goos string) system {
	switch goos {
	case "plan9":
		return plan9
	case "windows":
		// Package syscall's own names are invented numbers there. Dialers that
		// play an error may use them all the same.
		return system{
			limits: append(winsock.limits, posix.limits...),
			family: append(winsock.family, posix.family...),
			gone:   append(winsock.gone, posix.gone...),
		}
	default:
		return posix
	}
}

// has says whether one of those is in an error.
func has(causes []error, err error) bool {
	return slices.ContainsFunc(causes, func(cause error) bool { return errors.Is(err, cause) })
}

// plan9 has texts where others have numbers: those of its kernel's error.h and
// devip.c. It says nothing of families.
var plan9 = system{
	limits: []error{
		text("no free file descriptors"),
		text("no free devices"), // all conversations are taken
		text("kernel allocate failed"),
		text("virtual memory allocation failed"),
		text("network port not available"),
		text("address in use"),
		text("permission denied"),
	},
	gone: []error{text("i/o on hungup channel"), text("connection timed out")},
}
