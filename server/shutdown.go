package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// How often Shutdown looks for what has become idle, and how long it waits for
// stop functions: to close the listener, and to return once all connections are
// cut.
const (
	minLook = time.Millisecond
	maxLook = 50 * time.Millisecond
	lastly  = time.Second
)

// Shutdown ends the service, in one call for a handler of SIGTERM. It closes the
// listener, and at once all connections that are unused or idle. It waits for
// the others, and closes each when it is idle. At ctx's end it cuts what is left.
//
// Give it what else has to stop, in its own way, as http.Server and grpc.Server
// have:
//
//	listener.Shutdown(ctx, httpServer.Shutdown)
//	listener.Shutdown(ctx, func(context.Context) error { grpcServer.GracefulStop(); return nil })
//
// All of these are called at once, before the listener is closed. They know what
// is busy: of connections that they serve only those are closed here that are
// unused or that somebody has said to be idle. Without them [WithIdle] decides.
//
// The error is nil if every connection has ended in peace. Otherwise it says how
// many were cut, and wraps ctx's; errors of stop are joined to it.
func (l *Listener) Shutdown(ctx context.Context, stop ...func(context.Context) error) error {
	s := stopping{done: make(chan struct{})}
	for _, f := range stop {
		s.tasks.Go(func() { s.add(f(ctx)) })
	}
	go func() { // ends when the stop functions do: who gave them answers for that
		s.tasks.Wait()
		close(s.done)
	}()
	isIdle := l.idle
	if len(stop) > 0 {
		if !l.idleGiven {
			isIdle = (*Conn).knownIdle
		}
		// They close the listener, and know then that they have: Serve returns
		// what it should. One that does not is not waited for.
		timer := time.NewTimer(lastly)
		defer timer.Stop()
		select {
		case <-l.done:
		case <-s.done:
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	s.add(l.Close())
	s.add(l.finish(ctx, isIdle))
	return s.wait(ctx)
}

// finish waits for all connections to end, and cuts what is left at ctx's end.
func (l *Listener) finish(ctx context.Context, isIdle func(*Conn) bool) error {
	for pause := minLook; ; pause = min(2*pause, maxLook) {
		l.closeIdle(math.MaxInt, isIdle)
		if len(l.open()) == 0 {
			return nil
		}
		if !wait(ctx, pause) {
			break
		}
	}
	left := l.open()
	for _, c := range left {
		l.end(c)
	}
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("server: shutdown cut %d connections: %w", len(left), ctx.Err())
}

// stopping is what the stop functions have returned.
type stopping struct {
	tasks sync.WaitGroup
	done  chan struct{}
	mu    sync.Mutex
	errs  []error
}

func (s *stopping) add(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.errs = append(s.errs, err)
	}
}

// wait returns all errors. A stop function that hangs, although its connections
// are cut, is left behind.
func (s *stopping) wait(ctx context.Context) error {
	select {
	case <-s.done:
	case <-ctx.Done():
		timer := time.NewTimer(lastly)
		defer timer.Stop()
		select {
		case <-s.done:
		case <-timer.C:
			s.add(fmt.Errorf("server: a stop function has not returned: %w", ctx.Err()))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}
