package rovergrpc

import (
	"context"
	"sync"

	"google.golang.org/grpc/balancer"
)

type movingKey struct{}

// A moving is who waits for the connection of one call to be given up.
type moving struct {
	moved chan struct{}
	once  sync.Once
}

// Moving returns a context for one stream, and a channel that is closed when
// the connection the stream is on has been given up: the pool has a better one,
// or the server drains it. Nothing happens to the stream by itself, unless there
// is a [WithStreamAge]. A stream that leaves then and opens anew, with a Moving
// of its own, follows the balance:
//
//	ctx, moved := rovergrpc.Moving(ctx)
//	stream, err := client.Watch(ctx, request)
//
// Over a client without a pool the channel is never closed.
func Moving(ctx context.Context) (context.Context, <-chan struct{}) {
	m := &moving{moved: make(chan struct{})}
	return context.WithValue(ctx, movingKey{}, m), m.moved
}

// following has the Moving of a call's context, if it has one, follow the
// connection that the call is on, until the call is done.
func following(ctx context.Context, s *sub) (done func(balancer.DoneInfo)) {
	m, ok := ctx.Value(movingKey{}).(*moving)
	if !ok {
		return nil
	}
	leave := context.AfterFunc(s.given, func() { m.once.Do(func() { close(m.moved) }) })
	return func(balancer.DoneInfo) { leave() }
}
