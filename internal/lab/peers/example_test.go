package peers_test

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// gRPC over a pool: the dialer is the only place that knows of it.
func Example_grpc() {
	// The service: a slot listener instead of a plain one.
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	service := grpc.NewServer()
	healthpb.RegisterHealthServer(service, health.NewServer())
	go service.Serve(listener)
	defer service.Stop()

	// The client: a rover finds connections, a pool keeps the best.
	ctx := context.Background()
	at := listener.Addr().(*net.TCPAddr)
	servers := map[string]rover.Server{"a": {Host: at.IP.String(), Port: at.Port}}
	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServers(servers)), pool.WithMax(10))
	if err != nil {
		panic(err)
	}
	defer conns.Close() // ends all

	client, err := grpc.NewClient("passthrough:///pool",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return conns.DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	answer, err := healthpb.NewHealthClient(client).Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Println(answer.GetStatus(), err)
	// Output: SERVING <nil>
}
