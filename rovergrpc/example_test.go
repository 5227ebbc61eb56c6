package rovergrpc_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
	"github.com/callosum-go/rover/server"
)

// healthServers are some gRPC servers, until the context ends.
func healthServers(ctx context.Context, ids ...string) map[string]rover.Server {
	servers := map[string]rover.Server{}
	for _, id := range ids {
		listener, err := server.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		service := grpc.NewServer()
		healthpb.RegisterHealthServer(service, health.NewServer())
		go service.Serve(listener)
		context.AfterFunc(ctx, service.Stop)
		servers[id] = rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
	}
	return servers
}

// A gRPC client whose calls follow the balance.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	servers := healthServers(ctx, "a", "b")

	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServers(servers)), pool.WithMax(4))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	client, err := grpc.NewClient(rovergrpc.Target, rovergrpc.Over(conns),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := healthpb.NewHealthClient(client).Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Println(answer.GetStatus(), err)
	// Output: SERVING <nil>
}

// Retries and time limits by method, where gRPC's own option would be
// grpc.WithDefaultServiceConfig.
func ExampleWithServiceConfig() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServers(healthServers(ctx, "a"))))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	client, err := grpc.NewClient(rovergrpc.Target,
		rovergrpc.Over(conns, rovergrpc.WithServiceConfig(`{"methodConfig": [{
			"name": [{"service": "grpc.health.v1.Health"}],
			"waitForReady": true,
			"timeout": "5s",
			"retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s",
				"backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`)),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := healthpb.NewHealthClient(client).Check(ctx, &healthpb.HealthCheckRequest{})
	fmt.Println(answer.GetStatus(), err)
	// Output: SERVING <nil>
}

// A stream that moves when its connection is given up: here because its server
// leaves the set.
func ExampleMoving() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	servers := healthServers(ctx, "a", "b")
	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServers(map[string]rover.Server{"a": servers["a"]})), pool.WithMax(1))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	cc, err := grpc.NewClient(rovergrpc.Target, rovergrpc.Over(conns), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer cc.Close()
	client := healthpb.NewHealthClient(cc)

	watch := func() (moved <-chan struct{}, leave context.CancelFunc, err error) {
		ctx, leave := context.WithCancel(ctx)
		ctx, moved = rovergrpc.Moving(ctx)
		stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err != nil {
			return nil, leave, err
		}
		answer, err := stream.Recv()
		fmt.Println(answer.GetStatus())
		return moved, leave, err
	}
	moved, leave, err := watch()
	if err != nil {
		log.Fatal(err)
	}
	if err := conns.Stream().SetServers(map[string]rover.Server{"b": servers["b"]}); err != nil {
		log.Fatal(err)
	}
	<-moved // the stream still works, and is to leave when it likes
	leave()
	if _, leave, err = watch(); err != nil {
		log.Fatal(err)
	}
	leave()
	fmt.Println("moved")
	// Output:
	// SERVING
	// SERVING
	// moved
}

// A rover whose servers are those that a gRPC resolver finds.
func ExampleResolver() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	target := "dns:///" + healthServers(ctx, "a")["a"].Addr()

	sets := rovergrpc.Resolver(target, rovergrpc.WithRefresh(time.Minute))
	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServerSets(sets)), pool.WithMax(1))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	c, err := conns.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Release()
	fmt.Println(c.ID() == c.Server().Addr(), c.Slot())
	// Output: true 0
}
