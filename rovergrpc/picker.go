package rovergrpc

import (
	"math/rand/v2"
	"sync/atomic"

	"google.golang.org/grpc/balancer"

	"github.com/callosum-go/rover/pool"
)

// picker chooses among the subs that are ready, at least one.
func (s *settings) picker(ready []*sub) balancer.Picker {
	turn := &turn{ready: ready}
	turn.next.Store(rand.Uint32()) // many clients, or pickers, begin at different ones
	if s.leastBusy {
		return leastBusy{turn}
	}
	return turn
}

// A turn is round robin.
type turn struct {
	ready []*sub
	next  atomic.Uint32
}

func (t *turn) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	s := t.ready[t.next.Add(1)%uint32(len(t.ready))]
	return balancer.PickResult{SubConn: s.SubConn, Done: following(info.Ctx, s)}, nil
}

// leastBusy is the sub with the fewest calls, of equals the next one in turn.
type leastBusy struct{ *turn }

func (l leastBusy) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	n := uint32(len(l.ready))
	first := l.next.Add(1)
	best := l.ready[first%n]
	for i := uint32(1); i < n; i++ {
		if s := l.ready[(first%n+i)%n]; s.calls.Load() < best.calls.Load() {
			best = s
		}
	}
	best.calls.Add(1)
	follow := following(info.Ctx, best)
	return balancer.PickResult{SubConn: best.SubConn, Done: func(done balancer.DoneInfo) {
		best.calls.Add(-1)
		if follow != nil {
			follow(done)
		}
	}}, nil
}

// failing is for calls when nothing has been ready for long. They hear how it is
// now.
type failing struct {
	pool *pool.Pool
	why  error // nil: the pool knows
}

func (f failing) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	err := f.why
	if err == nil {
		err = f.pool.Why()
	}
	if err == nil { // something is idle, which a lane has not seen yet
		err = balancer.ErrNoSubConnAvailable
	}
	return balancer.PickResult{}, err
}
