//go:build !plan9

package rovertest

import "syscall"

// What the system would say.
const (
	errRefused = syscall.ECONNREFUSED
	errReset   = syscall.ECONNRESET
	errPipe    = syscall.EPIPE
)
