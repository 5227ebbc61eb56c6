package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// DefaultDrain is how long Drain takes for a context without a deadline.
const DefaultDrain = 30 * time.Second

// turn is the least time between two looks at what is open.
const turn = 50 * time.Millisecond

// Drain moves this server's work to others before it ends. From now on every
// slot line says [Drain], and what is held is closed one by one, spread over the
// time until ctx's deadline (or DefaultDrain): unused connections first, then
// those that are idle ([WithIdle]), the longest quiet first. What is busy is
// closed once it is idle, and its client may move it earlier. So no server of
// the fleet gets all the work at once.
//
// It returns nil when nothing is held any more. Otherwise, at ctx's end, the
// error says how many are, and wraps ctx's; [Listener.Shutdown] ends those. The
// listener goes on accepting, with the mark, until it is closed: its clients
// learn by it. There is no way back.
func (l *Listener) Drain(ctx context.Context) error {
	l.draining.Do(func() { close(l.drained) })
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(DefaultDrain)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	due := 0.0 // closings that the clock owes
	for {
		held := l.held()
		if len(held) == 0 {
			return nil
		}
		pause := max(turn, time.Until(deadline)/time.Duration(len(held)+1))
		if !wait(ctx, pause) {
			return fmt.Errorf("server: draining left %d connections open: %w", len(l.held()), ctx.Err())
		}
		left := time.Until(deadline) + pause
		due = min(due+float64(len(held)+1)*float64(pause)/float64(left), float64(len(held)))
		due -= float64(l.closeIdle(int(due), l.idle))
	}
}

// Draining is closed once Drain is called: for who writes without end, to send
// its client elsewhere.
func (l *Listener) Draining() <-chan struct{} { return l.drained }

func (l *Listener) isDraining() bool {
	select {
	case <-l.drained:
		return true
	default:
		return false
	}
}

// closeIdle closes up to n idle connections, unused ones first, and returns how
// many.
func (l *Listener) closeIdle(n int, isIdle func(*Conn) bool) int {
	if n <= 0 {
		return 0
	}
	idle := slices.DeleteFunc(l.held(), func(c *Conn) bool { return !l.judge(c, isIdle) })
	slices.SortFunc(idle, func(a, b *Conn) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.lastMoved(), b.lastMoved()))
	})
	idle = idle[:min(n, len(idle))]
	for _, c := range idle {
		l.end(c)
	}
	return len(idle)
}

func rank(c *Conn) int {
	if c.Unused() {
		return 0
	}
	return 1
}

// judge asks given code; one that panics is answered with no.
func (l *Listener) judge(c *Conn, isIdle func(*Conn) bool) (is bool) {
	defer func() {
		if value := recover(); value != nil {
			l.log.trouble("idle", fmt.Errorf("server: the idle function panicked: %v", value))
		}
	}()
	return isIdle(c)
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
