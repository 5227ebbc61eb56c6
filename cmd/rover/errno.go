//go:build !plan9

package main

import "syscall"

type errno = syscall.Errno
