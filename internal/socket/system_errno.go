//go:build !plan9

package socket

import "syscall"

var posix = system{
	limits: []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EADDRNOTAVAIL, syscall.EADDRINUSE,
		syscall.EPERM, syscall.EACCES,
	},
	family: []error{syscall.EADDRNOTAVAIL, syscall.ENETUNREACH, syscall.EAFNOSUPPORT},
	gone:   []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, syscall.ETIMEDOUT},
}

// The numbers are those of Microsoft's "Windows Sockets Error Codes" and
// "System Error Codes".
var winsock = system{
	limits: []error{
		syscall.Errno(4),     // ERROR_TOO_MANY_OPEN_FILES
		syscall.Errno(8),     // WSA_NOT_ENOUGH_MEMORY
		syscall.Errno(14),    // ERROR_OUTOFMEMORY
		syscall.Errno(1450),  // ERROR_NO_SYSTEM_RESOURCES
		syscall.Errno(10013), // WSAEACCES
		syscall.Errno(10024), // WSAEMFILE
		syscall.Errno(10048), // WSAEADDRINUSE
		syscall.Errno(10049), // WSAEADDRNOTAVAIL
		syscall.Errno(10055), // WSAENOBUFS
		syscall.Errno(10067), // WSAEPROCLIM
	},
	family: []error{
		syscall.Errno(10047), // WSAEAFNOSUPPORT
		syscall.Errno(10049), // WSAEADDRNOTAVAIL
		syscall.Errno(10051), // WSAENETUNREACH
	},
	gone: []error{
		syscall.Errno(64),    // ERROR_NETNAME_DELETED: how a pending read ends at a reset
		syscall.Errno(109),   // ERROR_BROKEN_PIPE
		syscall.Errno(10052), // WSAENETRESET
		syscall.Errno(10053), // WSAECONNABORTED
		syscall.Errno(10054), // WSAECONNRESET
		syscall.Errno(10060), // WSAETIMEDOUT
	},
}

// A text is an error of plan9, to speak of it elsewhere.
type text string

func (t text) Error() string { return string(t) }
