package main

import "syscall"

type errno = syscall.ErrorString

const brokenPipe = syscall.ErrorString("i/o on hungup channel")
