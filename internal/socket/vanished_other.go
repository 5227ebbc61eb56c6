//go:build !linux && !darwin && !windows

package socket

import "time"

const inheritsUserTimeout = false

func setUserTimeout(uintptr, time.Duration) {}
