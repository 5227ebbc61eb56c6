//go:build !linux

package pool

import "syscall"

// A poller watches nothing here: every connection is read ahead from.
type poller struct{}

func (*poller) add(*entry, syscall.RawConn) bool { return false }
func (*poller) forget(*entry)                    {}
func (*poller) close()                           {}
