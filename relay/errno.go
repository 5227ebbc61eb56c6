//go:build !plan9

package relay

import "syscall"

const (
	addressInUse = syscall.EADDRINUSE
	refused      = syscall.ECONNREFUSED
	brokenPipe   = syscall.EPIPE
)
