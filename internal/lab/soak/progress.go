//go:build !plan9

package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// showProgress shows how the run goes: a line that is written over on a terminal, else a line
// every ten seconds. The function it returns ends that.
func showProgress(r *run) (end func()) {
	every, before, after := 10*time.Second, "", "\n"
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		every, before, after = 200*time.Millisecond, "\r\x1b[K", ""
	}
	over := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Print(before, r.progress(), after)
			case <-over:
				fmt.Print(before)
				return
			}
		}
	})
	return func() {
		close(over)
		running.Wait()
	}
}

// progress is one line about the run so far.
func (r *run) progress() string {
	attempts, took := r.attempts(), time.Since(r.began)
	rate := float64(attempts) / took.Seconds()
	left := r.plan.time - took
	if rate > 0 {
		left = min(left, time.Duration(float64(r.plan.attempts-attempts)/rate*float64(time.Second)))
	}
	return fmt.Sprintf("%d/%d attempts, %d lives, %d events, %d open sockets, %.0f attempts/s, %v left",
		attempts, r.plan.attempts, r.lives.Load(), r.events.Load(), r.open.Load(), rate, max(left, 0).Round(time.Second))
}
