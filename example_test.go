package rover_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/server"
	"github.com/reactivex/rxgo/v2"
)

// slotServers are servers on loopback ports that give out slots until ctx ends.
func slotServers(ctx context.Context, ids ...string) map[string]rover.Server {
	servers := map[string]rover.Server{}
	for _, id := range ids {
		listener, err := server.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		context.AfterFunc(ctx, func() { _ = listener.Close() })
		go echo(listener)
		servers[id] = rover.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
	}
	return servers
}

func echo(listener net.Listener) {
	for {
		conn, err := listener.Accept() // its slot line is written
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}()
	}
}

// Keep the connections whose slots are lowest, and decline the others.
func ExampleStream() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	servers := slotServers(ctx, "a", "b") // map[string]rover.Server{"a": {Host: "127.0.0.1", Port: …}, …}
	stream, err := rover.New(rover.WithServers(servers), rover.WithInterval(time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	low := rover.Accept(stream.Connections(), rover.SlotBelow(2)) // declines the others
	if err := stream.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer stream.Stop()
	for c := range rover.Events[*rover.Connection](ctx, low.Take(4)) {
		if conn, err := c.Keep(); err == nil { // the socket is ours alone now
			defer conn.Close()
			fmt.Println(c.ID, c.Slot)
		}
	}
	// Unordered output:
	// a 0
	// a 1
	// b 0
	// b 1
}

// A source of sets replaces the servers: a service discovery, a watched file.
func ExampleWithServerSets() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sets := hot.NewSubject(hot.WithLatest()) // who subscribes gets the latest set
	sets.Publish(map[string]rover.Server{})

	stream, err := rover.New(rover.WithServerSets(sets.Observable()), rover.WithInterval(time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Stop()
	problems := stream.Errors().Observe()
	if err := stream.Start(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println((<-problems).V)
	sets.Publish(slotServers(ctx, "green"))
	connection, _ := stream.Connections().First().Get()
	fmt.Println(connection.V.(*rover.Connection).ID)
	// Output:
	// rover: no servers to dial
	// green
}

// Each item of a source is one attempt.
func ExampleWithTicks() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := rover.New(
		rover.WithServers(slotServers(ctx, "a")),
		rover.WithTicks(rxgo.Just("now", "and again")()))
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Stop()
	if err := stream.Start(ctx); err != nil {
		log.Fatal(err)
	}
	both, _ := stream.Connections().Take(2).ToSlice(2) // what is on offer is not missed
	fmt.Println(len(both), "connections")
	// Output: 2 connections
}

// Tests, and sources other than a rover, make connections of any net.Conn.
func ExampleNewConnection() {
	client, peer := net.Pipe()
	defer peer.Close()
	c := rover.NewConnection("a", rover.Server{Host: "10.0.0.1", Port: 4040}, 3, client)
	fmt.Println(c)
	conn, err := c.Keep()
	fmt.Println(conn == client, err)
	_, err = c.Keep()
	fmt.Println(err)
	_ = conn.Close()
	// Output:
	// slot 3 of "a" (10.0.0.1:4040)
	// true <nil>
	// rover: connection is kept already, by this Keep's caller
}

// found makes a connection with a slot.
func found(slot int) *rover.Connection {
	client, peer := net.Pipe()
	_ = peer.Close()
	return rover.NewConnection("a", rover.Server{Host: "10.0.0.1", Port: 4040}, slot, client)
}

func ExampleAccept() {
	three, twelve := found(3), found(12)
	for item := range rover.Accept(rxgo.Just(three, twelve)(), rover.SlotBelow(10)).Observe() {
		fmt.Println(item.V)
	}
	_, err := twelve.Keep()
	fmt.Println(err) // declined
	three.Decline()
	// Output:
	// slot 3 of "a" (10.0.0.1:4040)
	// rover: connection is no longer on offer: declined
}

func ExampleSlotBelow() {
	low := rover.SlotBelow(10)
	fmt.Println(low(found(3)), low(found(12)), low("a string"))
	// Output: true false false
}

func ExampleParseSlot() {
	fmt.Println(rover.ParseSlot([]byte("13\r\n")))
	fmt.Println(rover.ParseSlot([]byte("13.5\r\n")))
	// Output:
	// 13 <nil>
	// 0 rover: not a slot line: byte 3 is ".", want a digit or CR LF
}

func ExampleInterval() {
	for item := range rover.Interval(time.Millisecond).Take(3).Observe() {
		fmt.Println(item.V)
	}
	// Output:
	// 0
	// 1
	// 2
}

func ExampleWithLatestFrom() {
	questions, answers := hot.NewSubject(), hot.NewSubject()
	both := rover.WithLatestFrom(questions.Observable(), answers.Observable(),
		func(_ context.Context, question, answer any) (any, error) {
			return fmt.Sprint(question, " ", answer), nil
		}).Observe()
	answers.Publish("yes")
	questions.Publish("now?")
	fmt.Println((<-both).V)
	questions.Publish("still?")
	fmt.Println((<-both).V)
	answers.Publish("no")
	questions.Publish("and now?")
	fmt.Println((<-both).V)
	questions.Complete()
	// Output:
	// now? yes
	// still? yes
	// and now? no
}

// One after the other, since n is 1.
func ExampleMergeMap() {
	twice := rover.MergeMap(rxgo.Just("a", "b")(), 1, func(i rxgo.Item) rxgo.Observable {
		return rxgo.Just(i.V, i.V)()
	})
	for item := range twice.Observe() {
		fmt.Println(item.V)
	}
	// Output:
	// a
	// a
	// b
	// b
}

func ExampleMerge() {
	letters, digits := rxgo.Just("a", "b")(), rxgo.Just(1, 2)()
	for item := range rover.Merge([]rxgo.Observable{letters, digits}).Observe() {
		fmt.Println(item.V)
	}
	// Unordered output:
	// a
	// b
	// 1
	// 2
}

func ExampleTakeUntil() {
	work, bell := hot.NewSubject(), hot.NewSubject()
	day := rover.TakeUntil(work.Observable(), bell.Observable()).Observe()
	work.Publish("dig")
	fmt.Println((<-day).V)
	bell.Publish("ding")
	work.Publish("dig on")
	_, more := <-day
	fmt.Println(more)
	// Output:
	// dig
	// false
}

// The source is subscribed to once, for both.
func ExampleShare() {
	source := hot.NewSubject()
	shared := rover.Share(source.Observable().Map(func(_ context.Context, v any) (any, error) {
		fmt.Println("mapping", v)
		return v, nil
	}))
	one, other := shared.Observe(), shared.Observe()
	source.Publish("a")
	fmt.Println((<-one).V, (<-other).V)
	source.Complete()
	fmt.Println(<-one, <-other)
	// Output:
	// mapping a
	// a a
	// {<nil> <nil>} {<nil> <nil>}
}

func ExamplePartition() {
	even, odd := rover.Partition(rxgo.Just(1, 2, 3, 4)(), func(v any) bool { return v.(int)%2 == 0 })
	evens, _ := even.ToSlice(0)
	odds, _ := odd.ToSlice(0)
	fmt.Println(evens, odds)
	// Output: [2 4] [1 3]
}

func ExampleEvents() {
	for n, err := range rover.Events[int](context.Background(), rxgo.Just(1, 2, "three")()) {
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 0 rover: event is string, want int
}
