package rovertest

import "syscall"

// The system's errors: its kernel has one text for both ends of a connection.
const (
	errRefused = syscall.ErrorString("connection refused")
	errReset   = syscall.ErrorString("i/o on hungup channel")
	errPipe    = errReset
)
