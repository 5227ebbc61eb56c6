// Command redis has go-redis over two servers, one of which goes away. Each Redis
// has a front, which gives out slots for it.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// front gives out slots for a Redis, which has the key "name".
func front(name string) (at rover.Server, stop func()) {
	backend, err := miniredis.Run()
	if err != nil {
		log.Fatal(err)
	}
	backend.Set("name", name)
	address := backend.Addr()
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for client, err := listener.Accept(); err == nil; client, err = listener.Accept() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				client.Close()
				continue
			}
			go func() { io.Copy(conn, client); conn.Close() }()
			go func() { io.Copy(client, conn); client.Close() }()
		}
	}()
	return rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}, func() { listener.Close(); backend.Close() }
}

func main() {
	ctx := context.Background()
	a, _ := front("a")
	b, stop := front("b")
	conns, err := pool.Open(ctx, pool.WithMax(10), pool.WithIdle(0, 2), // the driver keeps what it has dialed
		pool.WithRover(rover.WithServers(map[string]rover.Server{"a": a, "b": b})))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	client := redis.NewClient(&redis.Options{
		Dialer: conns.DialContext, PoolSize: 6, PoolFIFO: true, MinIdleConns: 6,
		ConnMaxLifetime: time.Second, // and by this it follows the balance
	})
	defer client.Close()
	ask := func(what string) {
		of, failed := map[string]int{}, 0
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if name, err := client.Get(ctx, "name").Result(); err != nil {
				failed++
			} else {
				of[name]++
			}
		}
		fmt.Printf("%-14s a answered %4d, b %4d, %d failed\n", what, of["a"], of["b"], failed)
	}
	ask("two servers:")
	stop()
	ask("b is gone:")
}
