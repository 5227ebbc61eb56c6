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
	}
	ticks := hot.NewSubject(hot.WithQueue(2 * inFlight))
	turn := 0
	s, err := rover.New(
		rover.WithServers(servers),
		rover.WithTicks(ticks.Observable()),
		rover.WithMaxInFlight(inFlight),
		rover.WithPick(func(n int) int { turn++; return turn % n }),
		rover.WithDialTimeout(dialTimeout),
	)
	if err != nil {
		return err
	}
	var failed atomic.Pointer[error]
	fail := func(v any) {
		err := v.(error)
		failed.CompareAndSwap(nil, &err)
		ticks.Publish(nil)
	}
	queue := rxgo.WithBufferedChannel(2 * inFlight) // an event that overflows is a tick lost: one less in flight
	s.Connections().ForEach(func(v any) {
		v.(*rover.Connection).Decline()
		count.Add(1)
		ticks.Publish(nil)
	}, nil, func() {}, queue)
	s.Unreachable().ForEach(fail, nil, func() {}, queue)
	s.Errors().ForEach(fail, nil, func() {}, queue)
	if err := s.Start(ctx); err != nil {
		return err
	}
	for range inFlight {
		ticks.Publish(nil)
	}
	<-ctx.Done()
	s.Stop()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
