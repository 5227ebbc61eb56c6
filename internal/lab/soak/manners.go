//go:build !plan9

package main

import (
	"context"
	"time"

	"github.com/callosum-go/rover"
	"github.com/reactivex/rxgo/v2"
)

// manners are the ways to be a subscriber. Each returns when the guest has left or the stream
// has ended.
var manners = []struct {
	name string
	act  func(g *guest)
}{
	{"filters", func(g *guest) {
		g.forEach(g.connections().Filter(rover.SlotBelow(1 + g.random.IntN(8))))
	}},
	{"accepts", func(g *guest) {
		g.forEach(rover.Accept(g.connections(), rover.SlotBelow(1+g.random.IntN(8))))
	}},
	{"never leaves by himself", func(g *guest) {
		<-g.connections().ForEach(g.notice, g.failed, func() {})
	}},
	{"reads a channel", func(g *guest) {
		for item := range g.connections().Observe(g.within()) {
			g.notice(item.V)
		}
	}},
	{"takes a few", func(g *guest) {
		g.forEach(g.connections().Take(uint(1 + g.random.IntN(10))))
	}},
	{"maps and scans", func(g *guest) {
		same := func(_ context.Context, v any) (any, error) { return v, nil }
		last := func(_ context.Context, _, v any) (any, error) { return v, nil }
		g.forEach(g.connections().Map(same).Scan(last, g.within()))
	}},
	{"stops reading", func(g *guest) {
		items := g.connections().Observe(g.within(), rxgo.WithBufferedChannel(1+g.random.IntN(4)))
		for range g.random.IntN(5) {
			if item, ok := <-items; ok {
				g.notice(item.V)
			}
		}
		select {
		case <-g.ctx.Done():
		case <-g.released:
		}
	}},
	{"is stuck in a callback", func(g *guest) {
		over := g.connections().ForEach(func(v any) {
			g.notice(v)
			<-g.released
		}, g.failed, func() {}, g.within())
		<-over
	}},
	{"is slow", func(g *guest) {
		over := g.connections().ForEach(func(v any) {
			pause(g.ctx, upTo(g.random, 3*time.Millisecond))
			g.notice(v)
		}, g.failed, func() {}, g.within())
		<-over
	}},
	{"panics", func(g *guest) {
		for !g.panics() && g.ctx.Err() == nil {
		}
	}},
	{"loops", func(g *guest) {
		n := g.random.IntN(20)
		for c, err := range rover.Events[*rover.Connection](g.ctx, g.connections()) {
			if err != nil {
				g.failed(err)
				break
			}
			g.notice(c)
			if n--; n < 0 {
				break
			}
		}
	}},
	{"merges errors", func(g *guest) {
		stream := g.life.stream
		g.forEach(rover.Merge([]rxgo.Observable{stream.Unreachable(), stream.Errors()}))
	}},
	{"shares", func(g *guest) {
		shared := rover.Share(g.connections())
		first := shared.ForEach(g.notice, g.failed, func() {}, g.within())
		g.forEach(shared)
		<-first
	}},
	{"parts", func(g *guest) {
		low, high := rover.Partition(g.connections(), rover.SlotBelow(2))
		first := low.ForEach(g.notice, g.failed, func() {}, g.within())
		g.forEach(high)
		<-first
	}},
	{"takes until", func(g *guest) {
		late := rover.Interval(time.Hour).Skip(1)
		if g.random.IntN(2) == 0 {
			late = g.life.stream.Unreachable()
		}
		g.forEach(rover.TakeUntil(g.connections(), late))
	}},
}

func (g *guest) connections() rxgo.Observable { return g.life.stream.Connections() }

func (g *guest) within() rxgo.Option { return rxgo.WithContext(g.ctx) }

func (g *guest) failed(err error) { g.life.wrong("a guest got an error: %w", err) }

// forEach notices all events of source.
func (g *guest) forEach(source rxgo.Observable) {
	<-source.ForEach(g.notice, g.failed, func() {}, g.within())
}

// panics panics in the body of a loop and survives; over says that the stream has ended.
func (g *guest) panics() (over bool) {
	defer func() { _ = recover() }()
	for c, err := range rover.Events[*rover.Connection](g.ctx, g.connections()) {
		if err != nil {
			g.failed(err)
			return true
		}
		g.notice(c)
		if g.random.IntN(3) == 0 {
			panic("a subscriber that panics")
		}
	}
	return true
}
