package socket

import "syscall"

// They compile only if package syscall has these numbers too: it is vetted for
// windows on every system.
var (
	_ = [1]int{}[syscall.ERROR_NETNAME_DELETED-64]
	_ = [1]int{}[syscall.ERROR_BROKEN_PIPE-109]
	_ = [1]int{}[syscall.WSAEACCES-10013]
	_ = [1]int{}[syscall.WSAECONNABORTED-10053]
	_ = [1]int{}[syscall.WSAECONNRESET-10054]
)

// And that winsock's numbers are needed at all: these are made up.
var (
	_ [syscall.EMFILE - syscall.APPLICATION_ERROR]int
	_ [syscall.EADDRNOTAVAIL - syscall.APPLICATION_ERROR]int
)
