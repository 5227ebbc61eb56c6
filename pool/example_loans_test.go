package pool_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

// A question and an answer by hand.
func ExampleConn_Release() {
	conns, err := pool.New()
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	conns.Offer(echoing("a"))

	ask := func(ctx context.Context, question string) (string, error) {
		c, err := conns.Get(ctx)
		if err != nil {
			return "", err
		}
		defer c.Release() // lends it again if it is clean, else closes it
		if deadline, ok := ctx.Deadline(); ok {
			c.SetDeadline(deadline)
		}
		if _, err := fmt.Fprintln(c, question); err != nil {
			return "", err
		}
		return bufio.NewReader(c).ReadString('\n')
	}
	answer, err := ask(context.Background(), "hello")
	fmt.Printf("%q %v\n", answer, err)
	// Output: "hello\n" <nil>
}

// echoing is an offer of a server that sends back each line.
func echoing(id string) *rover.Connection {
	client, server := net.Pipe()
	go serve(server)
	return rover.NewConnection(id, rover.Server{Host: id, Port: 4040}, 0, client)
}

func serve(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		fmt.Fprintln(conn, lines.Text())
	}
}

// A driver's dial hook. Some drivers dial once more to cancel a query, at the
// address of the connection that has it: that must lead to the same server.
func ExamplePool_ForServer() {
	conns, err := pool.New()
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	conns.Offer(echoing("a"))
	conns.Offer(echoing("a"))

	var ids sync.Map // of servers, by address
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if id, known := ids.Load(address); known {
			return conns.ForServer(ctx, id.(string))
		}
		c, err := conns.Get(ctx)
		if err != nil {
			return nil, err
		}
		ids.Store(c.RemoteAddr().String(), c.ID())
		return c, nil
	}
	query, err := dial(context.Background(), "tcp", "database:5432")
	if err != nil {
		panic(err)
	}
	defer query.Close()
	cancel, err := dial(context.Background(), "tcp", query.RemoteAddr().String())
	if err != nil {
		panic(err)
	}
	defer cancel.Close()
	fmt.Println(cancel.(*pool.Conn).ID() == query.(*pool.Conn).ID())
	// Output: true
}

// TLS on each connection as soon as the pool has it.
func ExampleWithReady() {
	config := &tls.Config{ServerName: "service"}
	conns, err := pool.Open(context.Background(), pool.WithReady(func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		c := tls.Client(conn, config)
		return c, c.HandshakeContext(ctx)
	}))
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	fmt.Println(conns.Stats().Readying)
	// Output: 0
}

// A protocol whose server pushes: the pool cannot know what is still to come,
// the client does.
func ExampleWithReuse() {
	conns, err := pool.New(pool.WithReuse(func(c *pool.Conn) bool {
		return !errors.Is(c.Clean(), pool.Late) // whatever else the rule says
	}))
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	conns.Offer(echoing("a"))
	c, _ := conns.TryGet()
	fmt.Fprintln(c, "subscribe")
	c.Release()
	fmt.Println(conns.Stats().Idle)
	// Output: 1
}

// What somebody hears who gets no connection.
func ExampleWaitError() {
	conns, err := pool.New()
	if err != nil {
		panic(err)
	}
	defer conns.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = conns.Get(ctx)
	if why := new(pool.WaitError); errors.As(err, &why) {
		fmt.Println(why.Held, why.Waiting, why.Last, why.Timeout())
	}
	// Output: 0 0 [] true
}
