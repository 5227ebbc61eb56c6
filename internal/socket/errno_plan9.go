package socket

import "syscall"

// The system's errors: its kernel has one text for both ends of a connection.
const (
	Refused      = syscall.ErrorString("connection refused")
	Reset        = syscall.ErrorString("i/o on hungup channel")
	BrokenPipe   = Reset
	AddressInUse = syscall.ErrorString("address in use")
)
