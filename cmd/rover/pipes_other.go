//go:build plan9 || js || wasip1

package main

func ignorePipes() {} // there is no such signal
