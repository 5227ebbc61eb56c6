package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"

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
