// Command redis reads by go-redis from Redis servers that know nothing of slots:
// a relay.Front speaks for each. In production that is "rover front" beside the
// server. It ends when both have answered their half.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/relay"
	"github.com/redis/go-redis/v9"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	servers := map[string]rover.Server{"a": front(ctx, "a"), "b": front(ctx, "b")}
	conns, err := pool.Open(ctx, pool.WithMax(8), pool.WithRover(rover.WithServers(servers)))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	// go-redis looks at a connection before each use, and so gives up what the pool
	// has replaced by a better one.
	client := redis.NewClient(&redis.Options{Addr: "pool:6379", Dialer: conns.DialContext, PoolSize: 8})
	defer client.Close()

	for {
		got := map[string]int{}
		answers := make(chan string)
		for range 80 {
			go func() {
				id, err := client.Get(ctx, "who").Result()
				if err != nil {
					log.Fatal(err)
				}
				answers <- id
			}()
		}
		for range 80 {
			got[<-answers]++
		}
		if got["a"] > 24 && got["b"] > 24 {
			fmt.Println("both servers have answered their share of 80 questions")
			return
		}
	}
}

// front runs a Redis server and what speaks slots for it.
func front(ctx context.Context, id string) rover.Server {
	store := miniredis.NewMiniRedis()
	if err := store.Start(); err != nil {
		log.Fatal(err)
	}
	store.Set("who", id)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	f := &relay.Front{Dial: relay.Dialer(store.Addr()), Lazy: true}
	go f.Serve(ctx, listener)
	return rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
}
