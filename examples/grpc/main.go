// Command grpc has a gRPC client over two servers, and then over three: its calls
// follow by themselves.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
	"github.com/callosum-go/rover/server"
)

// serve starts a server: a slot listener is all that is new to it.
func serve() rover.Server {
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	service := grpc.NewServer()
	healthpb.RegisterHealthServer(service, health.NewServer())
	go service.Serve(listener)
	return rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
}

func main() {
	ctx := context.Background()
	servers := map[string]rover.Server{"a": serve(), "b": serve()}
	conns, err := pool.Open(ctx, pool.WithRover(rover.WithServers(servers)), pool.WithMax(6))
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
	calls := func(what string) {
		of := map[string]int{}
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			var from peer.Peer
			if _, err := client.Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Peer(&from)); err != nil {
				log.Fatal(err)
			}
			of[from.Addr.String()]++
		}
		fmt.Println(what)
		servers := conns.Stream().Servers()
		for _, id := range slices.Sorted(maps.Keys(servers)) {
			fmt.Printf("  %s  %d calls in 2 s\n", id, of[servers[id].Addr()])
		}
	}
	calls("two servers:")
	if err := conns.Stream().AddServer("c", serve()); err != nil {
		log.Fatal(err)
	}
	calls("a third joins:")
	calls("a moment later:")
}
