package socket

import "syscall"

var posix, winsock system // errors are no numbers here

type text = syscall.ErrorString
