package rovergrpc_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	channelzpb "google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
)

// Retries are as the service config says, on another connection.
func TestRetries(t *testing.T) {
	var refused atomic.Int64
	busy := serve(t, "busy", "127.0.0.1:0", grpc.InTapHandle(nil), grpc.UnaryInterceptor(
		func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return nil, nil }))
	_ = busy
	_ = refused
	well := serve(t, "well", "127.0.0.1:0")
	unwell := refusing(t, &refused)
	p := bare(t, 2)
	offer(t, p, well, 0)
	offer(t, p, unwell, 0)
	c := dial(t, p, rovergrpc.WithServiceConfig(`{"loadBalancingPolicy": "pick_first", "methodConfig": [{"name": [{}], "waitForReady": true, "retryPolicy": {
		"maxAttempts": 3, "initialBackoff": "0.001s", "maxBackoff": "0.01s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`))
	eventually(t, "both are called", func() bool {
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), "well")
		return refused.Load() > 10
	})
}
