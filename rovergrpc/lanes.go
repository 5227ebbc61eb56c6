package rovergrpc

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/base"
	"google.golang.org/grpc/connectivity"
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
	mu     sync.Mutex
	ready  []*sub
	late   bool        // none has been ready for the timeout
	wait   *time.Timer // until then
	unwell error       // why one that is connected is not ready, by its own account; nil while one is ready
}

// UpdateClientConnState comes first, and again with each service config: from
// then on the client is not idle.
func (b *lanes) UpdateClientConnState(balancer.ClientConnState) error {
	b.begin.Do(func() {
		b.mu.Lock()
		b.wait = time.AfterFunc(b.timeout, func() { b.giveUp(nil) })
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
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wait != nil {
		b.wait.Stop()
	}
}

func (b *lanes) ResolverError(error)                                        {}
func (b *lanes) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}
func (b *lanes) ExitIdle()                                                  {} // lanes never rest

// lane has one connection after the other. After failures in a row it waits,
// twice as long each time.
func (b *lanes) lane() {
	const shortest = 50 * time.Millisecond
	for wait := shortest; ; {
		conn, err := b.pool.Get(b.open)
		if err != nil {
			if b.open.Err() == nil {
				b.giveUp(err) // the pool is closed
			}
			return
		}
		if b.serve(conn) == nil {
			wait = shortest
			continue
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

// giveUp has calls fail while no lane is ready: why, unless the pool knows it.
func (b *lanes) giveUp(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) > 0 || b.open.Err() != nil {
		return
	}
	b.late = true
	if why != nil {
		b.unwell = why
	}
	b.publish()
}

// isUnwell notes what a server says of itself, for calls that fail.
func (b *lanes) isUnwell(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		b.unwell = why
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
		b.ready, b.late, b.unwell = append(b.ready, s), false, nil
		b.wait.Stop()
	default:
		if b.ready = slices.Delete(b.ready, at, at+1); len(b.ready) == 0 {
			b.wait.Reset(b.timeout)
		}
	}
	b.publish()
}

// publish gives gRPC a picker of those that are ready. Without any, calls wait;
// when that has taken too long they fail.
func (b *lanes) publish() {
	state := balancer.State{ConnectivityState: connectivity.Connecting, Picker: base.NewErrPicker(balancer.ErrNoSubConnAvailable)}
	switch {
	case len(b.ready) > 0:
		state = balancer.State{ConnectivityState: connectivity.Ready, Picker: b.picker(slices.Clone(b.ready))}
	case b.late:
		state = balancer.State{ConnectivityState: connectivity.TransientFailure, Picker: failing{b.pool, b.unwell}}
	}
	b.cc.UpdateState(state)
}
