package rovergrpc

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/callosum-go/rover/pool"
)

// A sub is a SubConn over one loan of the pool.
type sub struct {
	balancer.SubConn
	loan   *loan
	given  context.Context // ends when the connection is given up
	giveUp context.CancelFunc
	calls  atomic.Int64 // under way, if the picker counts
	ended  chan error   // by gRPC: nil after it was ready, else why it never was
}

// serve has gRPC use a connection until one of the sides gives it up. Calls and
// streams under way go on after that, within their age. It returns an error if
// the connection never got so far.
func (b *lanes) serve(conn *pool.Conn) error {
	s := &sub{loan: &loan{Conn: conn}, ended: make(chan error, 1)}
	s.given, s.giveUp = context.WithCancel(context.Background())
	defer s.giveUp()
	var err error
	//lint:ignore SA1019 one address is all it gets
	s.SubConn, err = b.cc.NewSubConn([]resolver.Address{b.address(s.loan)}, balancer.NewSubConnOptions{
		HealthCheckEnabled: true, // if the service config says so
		StateListener:      func(state balancer.SubConnState) { b.changed(s, state) },
	})
	if err != nil {
		conn.Release()
		return nil // the client closes, and the balancer with it
	}
	s.Connect()
	err = s.use(b.open.Done(), b.timeout)
	s.giveUp()
	b.set(s, false)
	s.loan.leave(err, b.streamAge) // first: what is not up closes without waiting for gRPC
	s.Shutdown()
	return err
}

// address is what gRPC dials. Its text is for channelz and logs; the dialer
// takes the loan.
func (b *lanes) address(l *loan) resolver.Address {
	server := l.Server()
	address := resolver.Address{
		Addr:       fmt.Sprintf("%s slot %d of %s", server.Addr(), l.Slot(), l.ID()),
		Attributes: attributes.New(loanKey{}, l),
	}
	if !b.named {
		address.ServerName = server.Host
	}
	return address
}

// use waits for one of the sides to give the connection up.
func (s *sub) use(closing <-chan struct{}, timeout time.Duration) error {
	late := time.NewTimer(timeout)
	defer late.Stop()
	for {
		select {
		case <-s.loan.Replaced():
			return nil
		case <-closing:
			return nil
		case err := <-s.ended:
			return err
		case <-late.C:
			if !s.loan.isUp() {
				return fmt.Errorf("rovergrpc: connection not ready after %v", timeout)
			}
		}
	}
}

// changed is what gRPC calls with each state of the SubConn, one at a time. With
// health checks a connection may be up and not ready.
func (b *lanes) changed(s *sub, state balancer.SubConnState) {
	if state.ConnectivityState == connectivity.Ready {
		s.loan.up()
		b.set(s, true)
		return
	}
	b.set(s, false)
	switch state.ConnectivityState {
	case connectivity.Idle: // the connection has ended, or the server drains it
		s.end(s.loan.early())
	case connectivity.TransientFailure:
		if s.loan.closed() {
			s.end(state.ConnectionError)
		} else { // the server says that it is not well
			s.loan.up()
			b.isUnwell(state.ConnectionError)
		}
	}
}

func (s *sub) end(err error) {
	select {
	case s.ended <- err:
	default: // it has ended already
	}
}
