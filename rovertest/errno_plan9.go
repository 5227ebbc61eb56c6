package rovertest

import "syscall"

// What the system would say: its kernel has one text for both ends of a connection.
const (
	errRefused = syscall.ErrorString("connection refused")
	errReset   = syscall.ErrorString("i/o on hungup channel")
	errPipe    = errReset
)
