//go:build darwin || windows

package socket

import "time"

// seconds rounds up: 0 would mean none.
func seconds(d time.Duration) int { return int(min((d+time.Second-1)/time.Second, 1<<31-1)) }
