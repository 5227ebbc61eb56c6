//go:build !linux && !darwin && !windows

package socket

import "time"

func setUserTimeout(uintptr, time.Duration) {}
