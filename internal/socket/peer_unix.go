//go:build unix

package socket

import "syscall"

// hasNoPeer says that the connection was reset or has timed out.
func hasNoPeer(fd uintptr) (yes, known bool) {
	_, err := syscall.Getpeername(int(fd))
	return err != nil, true
}
