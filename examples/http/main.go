// Command http sends requests by an http.Client to three servers, one of which
// comes later: each gets its share, by need and at once.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conns, err := pool.Open(ctx, pool.WithMax(6),
		pool.WithRover(rover.WithServers(map[string]rover.Server{"a": serve("a"), "b": serve("b")})))
	if err != nil {
		log.Fatal(err)
	}
	defer conns.Close()
	client := &http.Client{Transport: conns.Transport(nil)}

	show(client, 2)
	if err := conns.Stream().AddServer("c", serve("c")); err != nil {
		log.Fatal(err)
	}
	show(client, 3)
}

// show sends rounds of 60 requests until each of n servers got its share of one,
// give or take a tenth.
func show(client *http.Client, n int) {
	for {
		got := map[string]int{}
		for range 60 {
			response, err := client.Get("http://service/")
			if err != nil {
				log.Fatal(err)
			}
			id, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil {
				log.Fatal(err)
			}
			got[string(id)]++
		}
		even := len(got) == n
		for _, requests := range got {
			even = even && max(requests, 60/n)-min(requests, 60/n) <= 6
		}
		if even {
			fmt.Println("each of", slices.Sorted(maps.Keys(got)), "has its share")
			return
		}
	}
}

// serve is an HTTP server on a slot listener.
func serve(id string) rover.Server {
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, id) }))
	return rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
}
