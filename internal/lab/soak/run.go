//go:build !plan9

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// A plan says how long a run is and what it follows from.
type plan struct {
	attempts int
	time     time.Duration
	seed     uint64
	only     int // this life alone; 0: all
	relay    bool
}

// A run is a row of lives and their counts.
type run struct {
	plan  plan
	began time.Time

	lives  atomic.Int64
	events atomic.Int64 // that subscribers have seen
	open   atomic.Int64 // sockets that dialers have returned and that are not closed
	now    atomic.Pointer[rover.Stream]

	past   rover.Stats // of all lives that are over
	before atomic.Int64
	tally  tally
}

// patience is how long a life may take to end, and then its leftovers to go.
const patience = 60 * time.Second

func newRun(p plan) *run { return &run{plan: p, began: time.Now(), tally: newTally()} }

// live lives until the plan is done, ctx ends or something is wrong.
func (r *run) live(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.plan.time)
	defer cancel()
	warmUp()
	start := footprint()
	for n := max(r.plan.only, 1); r.attempts() < r.plan.attempts && ctx.Err() == nil; n++ {
		if err := r.one(ctx, n); err != nil {
			return fmt.Errorf("life %d (again with -seed %d -life %d): %w", n, r.plan.seed, n, err)
		}
		if err := start.wait(); err != nil {
			return fmt.Errorf("after life %d (again with -seed %d -life %d): %w", n, r.plan.seed, n, err)
		}
		if r.plan.only > 0 {
			break
		}
	}
	return nil
}

// one lives the nth life and gives up on it when it does not end.
func (r *run) one(ctx context.Context, n int) error {
	r.lives.Add(1)
	l := newLife(r, source(r.plan.seed, n))
	over := make(chan error, 1)
	if r.plan.relay {
		go func() { over <- r.liveRelays(ctx, source(r.plan.seed, n)) }()
	} else {
		go func() { over <- l.live(ctx) }()
	}
	ended, ending := ctx.Done(), l.ending
	var hung <-chan time.Time
	for {
		select {
		case err := <-over:
			r.now.Store(nil)
			r.past = add(r.past, l.stats)
			r.before.Store(int64(r.past.Attempts))
			return err
		case <-ended:
			ended, hung = nil, time.After(patience)
		case <-ending:
			ending, hung = nil, time.After(patience)
		case <-hung:
			return fmt.Errorf("does not end; its goroutines:\n%s", goroutines())
		}
	}
}

// source is the random source of the nth life.
func source(seed uint64, n int) rand.Source { return rand.NewPCG(seed, uint64(n)) }

// attempts is how many have been made so far.
func (r *run) attempts() int {
	if r.plan.relay {
		return int(r.lives.Load())
	}
	n := int(r.before.Load())
	if stream := r.now.Load(); stream != nil {
		n += stream.Stats().Attempts
	}
	return n
}

// summary is the result of the run, for people.
func (r *run) summary() string {
	var b strings.Builder
	n := r.past
	if r.plan.relay {
		fmt.Fprintf(&b, "%d lives in %v, %d answers\n%s", r.lives.Load(), time.Since(r.began).Round(time.Millisecond), r.events.Load(), r.tally.String())
		return b.String()
	}
	fmt.Fprintf(&b, "%d lives in %v, %d events seen\n", r.lives.Load(), time.Since(r.began).Round(time.Millisecond), r.events.Load())
	fmt.Fprintf(&b, "%d attempts = %d connections + %d unreachable + %d protocol errors + %d failures + %d aborted\n",
		n.Attempts, n.Connections, n.Unreachable, n.ProtocolErrors, n.Failures, n.Aborted)
	fmt.Fprintf(&b, "%d connections = %d kept + %d declined (%d by leaving) + %d expired + %d overflowed\n",
		n.Connections, n.Kept, n.Declined, n.Left, n.Expired, n.Overflowed)
	fmt.Fprintf(&b, "%d ticks = %d attempts + %d busy + %d for want of servers + %d bad picks\n",
		n.Ticks, n.Attempts, n.Busy, n.NoServers, n.BadPicks)
	b.WriteString(r.tally.String())
	return b.String()
}

func add(a, b rover.Stats) rover.Stats {
	a.Attempts += b.Attempts
	a.Connections += b.Connections
	a.Unreachable += b.Unreachable
	a.ProtocolErrors += b.ProtocolErrors
	a.Failures += b.Failures
	a.Aborted += b.Aborted
	a.Busy += b.Busy
	a.NoServers += b.NoServers
	a.Kept += b.Kept
	a.Declined += b.Declined
	a.Expired += b.Expired
	a.Overflowed += b.Overflowed
	a.Left += b.Left
	a.Ticks += b.Ticks
	a.BadPicks += b.BadPicks
	a.Undelivered += b.Undelivered
	return a
}

// held is what the process holds: goroutines, and descriptors where the system counts them.
type held struct{ goroutines, descriptors int }

func footprint() held {
	return held{runtime.NumGoroutine(), kit.Descriptors()}
}

// wait waits until the process holds no more than it did. What ends by itself, such as
// a resolver's last goroutine, may take some time.
func (h held) wait() error {
	end := time.After(patience)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		now := footprint()
		if now.goroutines <= h.goroutines && now.descriptors <= h.descriptors {
			return nil
		}
		if now.descriptors > h.descriptors {
			runtime.GC() // package net keeps pipes to splice with, until they are collected
		}
		select {
		case <-look.C:
		case <-end:
			return errors.Join(
				fmt.Errorf("%d goroutines and %d descriptors are left, %d and %d were there before",
					now.goroutines, now.descriptors, h.goroutines, h.descriptors),
				errors.New(goroutines()))
		}
	}
}

func goroutines() string {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	return b.String()
}
