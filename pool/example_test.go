package pool_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// HTTP over a pool: the client's transport is the only place that knows of it.
func Example_http() {
	// The service: a slot listener instead of a plain one.
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	service := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello from %s", r.Host)
	})}
	go service.Serve(listener)
	defer service.Close()

	// The client: a rover finds connections, a pool keeps the best.
	at := listener.Addr().(*net.TCPAddr)
	servers := map[string]rover.Server{"a": {Host: at.IP.String(), Port: at.Port}}
	conns, err := pool.Open(context.Background(), pool.WithRover(rover.WithServers(servers)), pool.WithMax(10))
	if err != nil {
		panic(err)
	}
	defer conns.Close() // ends all

	client := &http.Client{Transport: conns.Transport(nil)}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://service/")
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(string(body), err)
	// Output: hello from service <nil>
}

// A rover, a policy and a pool in one call.
func ExampleOpen() {
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	service := &http.Server{Handler: http.NotFoundHandler()}
	go service.Serve(listener)
	defer service.Close()
	at := listener.Addr().(*net.TCPAddr)
	servers := map[string]rover.Server{"a": {Host: at.IP.String(), Port: at.Port}}

	conns, err := pool.Open(context.Background(), pool.WithRover(rover.WithServers(servers)), pool.WithMax(20))
	if err != nil {
		panic(err)
	}
	defer conns.Close() // ends all three
	client := &http.Client{Transport: conns.Transport(nil)}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://service/")
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 404 Not Found
}

// offered is what a rover's stream would bring.
func offered(id string, slot int) *rover.Connection {
	conn, _ := net.Pipe()
	return rover.NewConnection(id, rover.Server{Host: id, Port: 4040}, slot, conn)
}

func ExamplePool_Offer() {
	p, err := pool.New(pool.WithMax(2))
	if err != nil {
		panic(err)
	}
	defer p.Close()
	for _, slot := range []int{7, 5, 7, 6} {
		fmt.Println(slot, p.Offer(offered("a", slot)))
	}
	// Output:
	// 7 true
	// 5 true
	// 7 false
	// 6 true
}

func ExamplePool_Get() {
	p, err := pool.New()
	if err != nil {
		panic(err)
	}
	defer p.Close()
	p.Offer(offered("a", 3))
	c, err := p.Get(context.Background())
	if err != nil {
		panic(err)
	}
	defer c.Release()
	fmt.Println(c.Slot(), c.Server())
	_, ok := p.TryGet()
	fmt.Println(ok)
	// Output:
	// 3 a:4040
	// false
}

func ExamplePool_Changes() {
	p, err := pool.New(pool.WithMax(1))
	if err != nil {
		panic(err)
	}
	changes := p.Changes().Observe()
	p.Offer(offered("a", 3))
	p.Offer(offered("b", 0))
	c, _ := p.TryGet()
	c.Release()
	p.Close()
	for change := range changes {
		fmt.Println(change.V)
	}
	// Output:
	// kept slot 3 of "a" (a:4040)
	// replaced slot 3 of "a" (a:4040) by slot 0 of "b"
	// lent slot 0 of "b" (b:4040)
	// returned slot 0 of "b" (b:4040)
	// closed slot 0 of "b" (b:4040): pool: closed
}

func ExamplePool_Stats() {
	p, err := pool.New()
	if err != nil {
		panic(err)
	}
	defer p.Close()
	source := rxgo.Just(offered("a", 3), offered("b", 0), offered("a", 1))()
	<-p.Attach(context.Background(), source)
	s := p.Stats()
	fmt.Println(s.Kept, "kept, slots", s.Lowest, "to", s.Highest)
	fmt.Println(s.Servers)
	// Output:
	// 3 kept, slots 0 to 3
	// map[a:4040:2 b:4040:1]
}
