package rovergrpc

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/base"
	"google.golang.org/grpc/connectivity"

	"github.com/callosum-go/rover/pool"
)

// lanes is the balancer of one client: so many places for a connection, and who
// of them is ready.
type lanes struct {
	cc balancer.ClientConn
	*settings
	named   bool            // the client's credentials have one server name for all
	open    context.Context // ends with Close
	shut    context.CancelFunc
	begin   sync.Once
	running sync.WaitGroup

	// mu is held while gRPC gets a new picker, so that the last one is the
	// latest. It is taken before all of gRPC's locks, which call nothing of ours.
	mu    sync.Mutex
	ready []*sub
	err   error // why none is, if there has been a reason since one was
}

// UpdateClientConnState comes first, and again with each service config: from
// then on the client is not idle.
func (b *lanes) UpdateClientConnState(balancer.ClientConnState) error {
	b.begin.Do(func() {
		b.mu.Lock()
		b.publish()
		b.mu.Unlock()
		for range b.conns {
			b.running.Go(b.lane)
		}
	})
	return nil
}

// Close comes when the client closes, or goes idle.
func (b *lanes) Close() {
	b.shut()
	b.running.Wait()
}

func (b *lanes) ResolverError(error)                                        {}
func (b *lanes) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}
func (b *lanes) ExitIdle()                                                  {} // lanes never rest

// lane has one connection after the other. After failures in a row it waits,
// twice as long each time.
func (b *lanes) lane() {
	const shortest = 50 * time.Millisecond
	for wait := shortest; ; {
		conn, err := b.borrow()
		if err != nil {
			return
		}
		if err := b.serve(conn); err == nil {
			wait = shortest
			continue
		} else {
			b.failed(err)
		}
		pause := time.NewTimer(time.Duration((0.8 + 0.4*rand.Float64()) * float64(wait)))
		wait = min(2*wait, b.timeout)
		select {
		case <-pause.C:
		case <-b.open.Done():
			pause.Stop()
			return
		}
	}
}

// borrow waits for a connection. The error is the balancer's end or the pool's.
// While no lane is ready somebody may be waiting for it: calls are to fail when
// that has taken the timeout.
func (b *lanes) borrow() (*pool.Conn, error) {
	for {
		ctx, end := b.open, context.CancelFunc(func() {})
		if !b.isReady() {
			ctx, end = context.WithTimeout(b.open, b.timeout)
		}
		conn, err := b.pool.Get(ctx)
		end()
		if err == nil {
			return conn, nil
		}
		if b.open.Err() != nil {
			return nil, err
		}
		b.failed(err)
		if errors.Is(err, pool.ErrClosed) {
			return nil, err
		}
	}
}

func (b *lanes) isReady() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ready) > 0
}

// failed is why calls fail while no lane is ready.
func (b *lanes) failed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err = err; len(b.ready) == 0 {
		b.publish()
	}
}

// set makes a SubConn one of the ready, or none of them.
func (b *lanes) set(s *sub, ready bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.Index(b.ready, s)
	switch {
	case ready == (at >= 0) || ready && s.given.Err() != nil:
		return
	case ready:
		b.ready, b.err = append(b.ready, s), nil
	default:
		b.ready = slices.Delete(b.ready, at, at+1)
	}
	b.publish()
}

// publish gives gRPC a picker of those that are ready.
func (b *lanes) publish() {
	state := balancer.State{ConnectivityState: connectivity.Ready, Picker: b.picker(slices.Clone(b.ready))}
	if len(b.ready) == 0 {
		state = balancer.State{ConnectivityState: connectivity.Connecting, Picker: base.NewErrPicker(balancer.ErrNoSubConnAvailable)}
		if b.err != nil {
			state = balancer.State{ConnectivityState: connectivity.TransientFailure, Picker: base.NewErrPicker(b.err)}
		}
	}
	b.cc.UpdateState(state)
}
