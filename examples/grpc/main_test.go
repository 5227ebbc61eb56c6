package main

import "testing"

// It ends, and no call fails: that would end the process.
func TestCallsFollow(t *testing.T) { main() }
