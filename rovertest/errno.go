//go:build !plan9

package rovertest

import "syscall"

// The system's errors.
const (
	errRefused = syscall.ECONNREFUSED
	errReset   = syscall.ECONNRESET
	errPipe    = syscall.EPIPE
)
