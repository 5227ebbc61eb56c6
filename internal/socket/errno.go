//go:build !plan9

package socket

import "syscall"

// The system's errors, for who needs them on every system.
const (
	Refused      = syscall.ECONNREFUSED
	Reset        = syscall.ECONNRESET
	BrokenPipe   = syscall.EPIPE
	AddressInUse = syscall.EADDRINUSE
)
