//go:build !plan9 && !js && !wasip1

package main

import (
	"os/signal"
	"syscall"
)

func ignorePipes() { signal.Ignore(syscall.SIGPIPE) }
