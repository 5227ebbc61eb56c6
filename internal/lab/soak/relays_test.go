//go:build !plan9

package main

import (
	"testing"
	"time"
)

// TestRelays is the relay form in short.
func TestRelays(t *testing.T) {
	r := newRun(plan{attempts: 6, time: 2 * time.Minute, seed: uint64(time.Now().UnixNano()), relay: true})
	if err := r.live(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d\n%s", r.plan.seed, r.summary())
	if r.events.Load() == 0 {
		t.Error("no client was answered")
	}
}
