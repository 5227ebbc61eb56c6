package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
)

// The hand-written loops do what the rover does: a deadline for dial and slot
// line together, cancellation at any time, one read for a line in one piece,
// and a refusal by reset.

const dialTimeout = 5 * time.Second

// A loop makes attempts, inFlight at once, until ctx ends, and counts them.
type loop func(ctx context.Context, addresses []string, inFlight int, count *atomic.Int64) error

// usual is the loop as most people write it: a timeout context an attempt.
func usual(ctx context.Context, addresses []string, inFlight int, count *atomic.Int64) error {
	next := inTurn(addresses)
	return workers(ctx, inFlight, func() error {
		var dialer net.Dialer
		buf := make([]byte, 32)
		for ctx.Err() == nil {
			err := func() error {
				ctx, cancel := context.WithTimeout(ctx, dialTimeout)
				defer cancel()
				conn, err := dialer.DialContext(ctx, "tcp", next())
				if err != nil {
					return err
				}
				defer refuse(conn)
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				defer stop()
				return readSlot(conn, buf)
			}()
			if err != nil {
				return err
			}
			count.Add(1)
		}
		return nil
	})
}

// lean is the least work we know of. One context serves all attempts and returns
// its own deadline, so the dialer needs no timer. The line has the socket's own
// deadline. There are no keep-alive probes, as the socket is not kept.
func lean(ctx context.Context, addresses []string, inFlight int, count *atomic.Int64) error {
	return leanest(ctx, addresses, inFlight, func(conn net.Conn) {
		refuse(conn)
		count.Add(1)
	})
}

// consumed is lean with one consumer for all sockets, on a goroutine of its own,
// as in every pipeline. It measures the cost of handing over there and back.
func consumed(ctx context.Context, addresses []string, inFlight int, count *atomic.Int64) error {
	type socket struct {
		net.Conn
		done chan<- struct{}
	}
	sockets := make(chan socket, inFlight)
	defer close(sockets)
	go func() {
		for s := range sockets {
			refuse(s.Conn)
			count.Add(1)
			s.done <- struct{}{}
		}
	}()
	return leanest(ctx, addresses, inFlight, func(conn net.Conn) {
		done := make(chan struct{}, 1)
		sockets <- socket{conn, done}
		<-done
	})
}

func leanest(ctx context.Context, addresses []string, inFlight int, take func(net.Conn)) error {
	next := inTurn(addresses)
	return workers(ctx, inFlight, func() error {
		dialer := net.Dialer{KeepAlive: -1}
		due := &dueContext{Context: ctx}
		var mu sync.Mutex
		var now net.Conn
		stop := context.AfterFunc(ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if now != nil {
				now.Close()
			}
		})
		defer stop()
		buf := make([]byte, 32)
		for ctx.Err() == nil {
			due.at = time.Now().Add(dialTimeout)
			conn, err := dialer.DialContext(due, "tcp", next())
			if err != nil {
				return err
			}
			mu.Lock()
			now = conn
			mu.Unlock()
			_ = conn.SetReadDeadline(due.at)
			err = readSlot(conn, buf)
			mu.Lock()
			now = nil
			mu.Unlock()
			if err != nil {
				refuse(conn)
				return err
			}
			take(conn)
		}
		return nil
	})
}

// inTurn returns one address after the other, to all workers together, as the
// rover's pick does: a server that gets several connections at once has less
// work with each.
func inTurn(addresses []string) func() string {
	var turn atomic.Int64
	return func() string { return addresses[int(turn.Add(1))%len(addresses)] }
}

type dueContext struct {
	context.Context
	at time.Time
}

func (c *dueContext) Deadline() (time.Time, bool) { return c.at, true }

func readSlot(conn net.Conn, buf []byte) error {
	n, err := conn.Read(buf)
	if err != nil {
		return err
	}
	_, err = rover.ParseSlot(buf[:n])
	return err
}

func refuse(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func workers(ctx context.Context, n int, work func() error) error {
	errs := make(chan error, n)
	for range n {
		go func() { errs <- work() }()
	}
	var all error
	for range n {
		if err := <-errs; err != nil && ctx.Err() == nil {
			all = errors.Join(all, err)
		}
	}
	return all
}
