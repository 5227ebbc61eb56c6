//go:build !unix

package socket

func hasNoPeer(uintptr) (yes, known bool) { return false, false }
