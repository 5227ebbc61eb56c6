package addresses

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// lanes are the lists of addresses that race: the first one's family, and the
// other if there is one and it may.
func (n *name) lanes(found []netip.AddrPort) [][]netip.AddrPort {
	if n.delay < 0 {
		return [][]netip.AddrPort{found}
	}
	var first, other []netip.AddrPort
	for _, addr := range found {
		if isIPv4(addr) == isIPv4(found[0]) {
			first = append(first, addr)
		} else {
			other = append(other, addr)
		}
	}
	if len(other) == 0 {
		return [][]netip.AddrPort{first}
	}
	return [][]netip.AddrPort{first, other}
}

// A result is how a lane ended: with a socket, with the error of each of its
// addresses, or by what a function of the dialer's owner did.
type result struct {
	conn     net.Conn
	errs     []error
	ended    bool // by a panic, or by runtime.Goexit
	panicked any
}

// race dials along the lanes, the next one after a delay or a failure, until
// there is a socket. It waits for all whom it started.
func (n *name) race(ctx context.Context, lanes [][]netip.AddrPort) (net.Conn, []error) {
	if len(lanes) == 1 {
		return n.inTurn(ctx, lanes[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, running := make(chan result), 0
	start := func() {
		if len(lanes) > 0 {
			go n.run(ctx, lanes[0], results)
			lanes = lanes[1:]
			running++
		}
	}
	start()
	delay := time.NewTimer(n.delay)
	defer delay.Stop()

	var errs []error
	for running > 0 {
		select {
		case <-delay.C:
			start()
		case r := <-results:
			running--
			if r.conn == nil && !r.ended {
				errs = append(errs, r.errs...)
				start()
				continue
			}
			cancel()
			for ; running > 0; running-- {
				loser := <-results
				if loser.ended {
					r, loser = loser, r
				}
				socket.Refuse(loser.conn)
			}
			return r.winner(), nil
		}
	}
	return nil, errs
}

func (n *name) run(ctx context.Context, lane []netip.AddrPort, results chan<- result) {
	r := result{ended: true}
	defer func() {
		r.panicked = recover()
		results <- r
	}()
	r.conn, r.errs = n.inTurn(ctx, lane)
	r.ended = false
}

// winner gives the socket, or does to its caller what was done to the lane's
// goroutine.
func (r result) winner() net.Conn {
	if r.panicked != nil {
		panic(r.panicked)
	}
	if r.ended {
		runtime.Goexit()
	}
	return r.conn
}

// inTurn dials one address after the other.
func (n *name) inTurn(ctx context.Context, lane []netip.AddrPort) (net.Conn, []error) {
	var errs []error
	for i, addr := range lane {
		if i > 0 && ctx.Err() != nil {
			break
		}
		conn, err := n.one(ctx, addr, len(lane)-i)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errs
}

// one dials an address in its share of the time for the addresses left.
func (n *name) one(ctx context.Context, addr netip.AddrPort, left int) (net.Conn, error) {
	if end, limited := ctx.Deadline(); limited && left > 1 {
		now := time.Now()
		share := max(end.Sub(now)/time.Duration(left), 2*time.Second) // as much as net.Dialer gives
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, now.Add(share)) // which ends no later than ctx
		defer cancel()
	}
	return n.dial(ctx, n.network, addr.String())
}
