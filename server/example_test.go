package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/callosum-go/rover/server"
)

// Three clients come, the second leaves, and the next gets its slot.
func ExampleListen() {
	l, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	var conns []net.Conn
	for i := range 4 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			fmt.Println(err)
			return
		}
		defer client.Close()
		conn, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		defer conn.Close()
		conns = append(conns, conn)

		line, _ := bufio.NewReader(client).ReadString('\n')
		fmt.Printf("client %d reads %q\n", i, line)
		if i == 2 {
			conns[1].Close()
		}
	}
	// Output:
	// client 0 reads "0\r\n"
	// client 1 reads "1\r\n"
	// client 2 reads "2\r\n"
	// client 3 reads "1\r\n"
}

// An http.Server runs on the listener unchanged. Its clients read the slot line
// when they have dialed.
func ExampleNewListener() {
	inner, err := net.Listen("tcp", "127.0.0.1:0") // for TLS: tls.NewListener(inner, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	given, freed := make(chan int, 1), make(chan int, 1)
	l, err := server.NewListener(inner,
		server.WithOnGiven(func(c *server.Conn) { given <- c.Slot() }),
		server.WithOnFreed(func(c *server.Conn) { freed <- c.Slot() }))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello")
	}))

	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("given:", <-given)
	io.WriteString(client, "GET / HTTP/1.0\r\n\r\n")
	lines := bufio.NewScanner(client)
	for lines.Scan() {
		if line := lines.Text(); line == "0" || line == "hello" {
			fmt.Println(line)
		}
	}
	client.Close()
	fmt.Println("freed:", <-freed)
	// Output:
	// given: 0
	// 0
	// hello
	// freed: 0
}

// A service that ends well: SIGTERM moves its work to the others first, then
// waits for what is under way, then cuts.
func ExampleListener_Shutdown() {
	term, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	listener, err := server.Listen("tcp", "127.0.0.1:0", server.WithClientFirst())
	if err != nil {
		fmt.Println(err)
		return
	}
	web := &http.Server{Handler: http.NotFoundHandler(), ConnState: listener.ConnState}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	go stop() // as a SIGTERM would end term

	<-term.Done()
	drain, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := listener.Drain(drain); err != nil {
		fmt.Println("still busy:", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(listener.Shutdown(ctx, web.Shutdown))
	fmt.Println(<-served)
	// Output:
	// <nil>
	// http: Server closed
}

// A server of twice the usual size, that takes a minute to warm up. It serves
// 500 at the most, and its clients never wait for it to speak.
func ExampleWithWeight() {
	listener, err := server.Listen("tcp", "127.0.0.1:0",
		server.WithWeight(2), server.WithSlowStart(time.Minute),
		server.WithMaxConns(500), server.WithClientFirst())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	fmt.Printf("%.1f of its weight at first\n", listener.Weight())
	if err := listener.SetWeight(-1); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0.2 of its weight at first
	// server: weight must be positive and finite, such as 1, 2 or 0.5, got -1
}

// By hand: the server says when something is under way, so that neither Drain
// nor Shutdown interrupts it.
func ExampleConn_SetIdle() {
	listener, err := server.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				served <- err
				return
			}
			go func() {
				defer conn.Close()
				c := conn.(*server.Conn)
				lines := bufio.NewScanner(c)
				for c.SetIdle(true); lines.Scan(); c.SetIdle(true) {
					c.SetIdle(false)
					fmt.Fprintf(c, "you said %q\n", lines.Text())
				}
			}()
		}
	}()

	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	fmt.Fprintln(client, "hello")
	answers := bufio.NewScanner(client)
	for range 2 {
		answers.Scan()
		fmt.Println(answers.Text())
	}
	fmt.Println(listener.Shutdown(context.Background()))
	fmt.Println(<-served)
	// Output:
	// 0
	// you said "hello"
	// <nil>
	// use of closed network connection
}

func ExampleSlots() {
	var slots server.Slots
	fmt.Println(slots.Get(), slots.Get(), slots.Get())
	fmt.Println(slots.Put(1), slots.InUse())
	fmt.Println(slots.Put(1))
	fmt.Println(slots.Get())
	// Output:
	// 0 1 2
	// <nil> 2
	// server: slot is not taken: 1 was given back already
	// 1
}
