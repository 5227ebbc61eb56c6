package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// pipeline is a whole rover, from its ticks to a subscriber's Decline. Each
// event is the tick of the next attempt, so that inFlight are always running.
func pipeline(ctx context.Context, addresses []string, inFlight int, count *atomic.Int64) error {
	servers := make(map[string]rover.Server)
	var turns []any // dials the servers in turn, as the bare loops do
	for i, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return err
		}
		servers[fmt.Sprint(i)] = rover.Server{Host: host, Port: number}
		turns = append(turns, rover.To(fmt.Sprint(i)))
	}
	ticks := hot.NewSubject(hot.WithQueue(2 * inFlight))
	var turn atomic.Uint64
	tick := func() { ticks.Publish(turns[turn.Add(1)%uint64(len(turns))]) }
	s, err := rover.New(
		rover.WithServers(servers),
		rover.WithTicks(ticks.Observable()),
		rover.WithMaxInFlight(inFlight),
		rover.WithDialTimeout(dialTimeout),
	)
	if err != nil {
		return err
	}
	var failed atomic.Pointer[error]
	fail := func(v any) {
		err := v.(error)
		failed.CompareAndSwap(nil, &err)
		tick()
	}
	queue := rxgo.WithBufferedChannel(2 * inFlight) // an event that overflows is a tick lost: one less in flight
	s.Connections().ForEach(func(v any) {
		v.(*rover.Connection).Decline()
		count.Add(1)
		tick()
	}, nil, func() {}, queue)
	s.Unreachable().ForEach(fail, nil, func() {}, queue)
	s.Errors().ForEach(fail, nil, func() {}, queue)
	if err := s.Start(ctx); err != nil {
		return err
	}
	for range inFlight {
		tick()
	}
	<-ctx.Done()
	s.Stop()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
