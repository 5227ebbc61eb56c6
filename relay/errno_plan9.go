package relay

import "syscall"

// Plan 9 has no sockets in the file system, and so no use for these.
const (
	addressInUse = syscall.ErrorString("address in use")
	refused      = syscall.ErrorString("connection refused")
	brokenPipe   = syscall.ErrorString("i/o on hungup channel")
)
