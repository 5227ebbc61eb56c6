//go:build !plan9

package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/faulty"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSoak is the run in short.
func TestSoak(t *testing.T) {
	r := newRun(plan{attempts: 4000, time: time.Minute, seed: uint64(time.Now().UnixNano())})
	if err := r.live(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d\n%s", r.plan.seed, r.summary())
	if n := r.attempts(); n != r.past.Attempts || n == 0 {
		t.Errorf("made %d attempts, the summary has %d", n, r.past.Attempts)
	}
	if line := r.progress(); !strings.Contains(line, "/4000 attempts") {
		t.Errorf("progress: %s", line)
	}
}

// TestLifeRepeats checks that a life's plan follows from its seed.
func TestLifeRepeats(t *testing.T) {
	r := newRun(plan{attempts: 1, time: time.Minute, seed: 42, only: 7})
	if err := r.live(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.lives.Load(); n != 1 {
		t.Fatalf("lived %d lives, want the one asked for", n)
	}
	a, b := newLife(r, source(42, 7)), newLife(r, source(42, 7))
	if a.budget != b.budget || a.maxInFlight != b.maxInFlight || a.random.Uint64() != b.random.Uint64() {
		t.Error("two lives of the same seed differ")
	}
}

// TestChecksFindWhatIsWrong gives each check something wrong to find.
func TestChecksFindWhatIsWrong(t *testing.T) {
	silent := rover.Server{Host: "127.0.0.1", Port: 1}
	for _, test := range []struct {
		name  string
		check func(*life)
	}{
		{"attempt lost", func(l *life) { l.checkSums(rover.Stats{Ticks: 2, Attempts: 2, Aborted: 1}) }},
		{"tick lost", func(l *life) { l.checkSums(rover.Stats{Ticks: 2, Busy: 1}) }},
		{"offer lost", func(l *life) { l.checkSums(rover.Stats{Ticks: 2, Attempts: 2, Connections: 2, Kept: 1}) }},
		{"event lost", func(l *life) { l.witness.outcomes.Unreachable = 1; l.witness.check(rover.Stats{Unreachable: 1}) }},
		{"outcome lost", func(l *life) { l.witness.seen.Connections = 1; l.witness.check(rover.Stats{Connections: 1}) }},
		{"offer left", func(l *life) {
			l.witness.outcomes.Connections = 1
			l.witness.check(rover.Stats{Connections: 1, Left: 1})
		}},
		{"owed for ever", func(l *life) { l.witness.outcomes.NoServers = 1; l.witness.check(rover.Stats{Attempts: 1}) }},
		{"event too many", func(l *life) { l.witness.seen.Busy = 1; l.witness.check(rover.Stats{}) }},
		{"wrong stream", func(l *life) { l.witness.expect(silent, faulty.Errors, &rover.ProtocolError{}) }},
	} {
		l := newLife(newRun(plan{}), source(1, 1))
		l.field, l.witness = new(field), &witness{life: l}
		l.checkSums(rover.Stats{Ticks: 3, Attempts: 3, InFlight: 1, Aborted: 1, Connections: 1, Expired: 1})
		l.witness.check(rover.Stats{Busy: 1})
		l.witness.expect(silent, faulty.Connections, nil)
		if len(l.wrongs) > 0 {
			t.Errorf("nothing was wrong, reported: %v", l.wrongs)
		}
		if test.check(l); len(l.wrongs) != 1 {
			t.Errorf("%s: reported %v", test.name, l.wrongs)
		}
	}
}

// TestLeftoversAreReported waits, in virtual time, for what is gone and for what never goes.
func TestLeftoversAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := footprint().wait(); err != nil {
			t.Error(err)
		}
		var none held
		if err := none.wait(); err == nil || !strings.Contains(err.Error(), "TestLeftoversAreReported") {
			t.Errorf("goroutines are left, reported: %v", err)
		}
	})
}
