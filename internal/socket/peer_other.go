//go:build !unix

package socket

func hasNoPeer(uintptr) bool { return false }
