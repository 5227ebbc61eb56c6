package main

import "syscall"

type errno = syscall.ErrorString
