//go:build !plan9

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/callosum-go/rover"
)

// meddle changes the set of servers in every way there is, and looks at the counters, until ctx
// ends.
func (l *life) meddle(ctx context.Context, random *rand.Rand) {
	anyID := func() string { return l.field.ids[random.IntN(len(l.field.ids))] }
	for pause(ctx, upTo(random, 5*time.Millisecond)) {
		switch random.IntN(12) {
		case 0, 1, 2, 3:
			id := anyID()
			l.run.tally.count("set add")
			if err := l.stream.AddServer(id, l.field.servers[id]); err != nil {
				l.wrong("AddServer: %w", err)
			}
		case 4, 5:
			l.run.tally.count("set drop")
			l.stream.DropServer(anyID())
		case 6: // one server in the place of another
			l.run.tally.count("set exchange")
			if err := l.stream.AddServer(anyID(), l.field.servers[anyID()]); err != nil {
				l.wrong("AddServer: %w", err)
			}
		case 7:
			l.run.tally.count("set replace")
			l.sets.Publish(l.field.some(random, random.Float64()))
		case 8:
			l.run.tally.count("set nonsense")
			l.sets.Publish(rover.Server{Host: "not a set", Port: -1})
			if err := l.stream.AddServer("bad", rover.Server{Host: "127.0.0.1", Port: 70000}); err == nil {
				l.wrong("AddServer took port 70000")
			}
		case 9:
			if len(l.stream.Servers()) > len(l.field.ids) {
				l.wrong("the set has more servers than there are")
			}
		case 10:
			l.checkSums(l.stream.Stats())
		case 11:
			switch random.IntN(100) { // the source ends, its last set stays
			case 0:
				l.run.tally.count("set source fails")
				l.sets.Fail(errors.New("a source of sets that fails"))
			case 1:
				l.run.tally.count("set source completes")
				l.sets.Complete()
			}
		}
	}
	l.sets.Complete()
}

// upTo is any time below d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

// pause lets d go by; false: ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
