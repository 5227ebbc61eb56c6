package peers_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/jackc/puddle/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// BenchmarkLoan is one acquire and one release, of few connections by more
// goroutines, who then have to wait for each other, and of enough.
func BenchmarkLoan(b *testing.B) {
	ctx := context.Background()
	for _, c := range []struct{ goroutines, conns int }{{1, 10}, {16, 10}, {16, 100}} {
		name := fmt.Sprintf("goroutines=%d/conns=%d", c.goroutines, c.conns)
		b.Run("pool/"+name, func(b *testing.B) {
			p := kit.Must(pool.New(pool.WithMax(c.conns)))(b)
			defer p.Close()
			for slot, conn := range conns(b, c.conns) {
				p.Offer(rover.NewConnection("a", rover.Server{Host: "a", Port: 1}, slot, conn))
			}
			spread(b, c.goroutines, func() {
				conn, _ := p.Get(ctx)
				conn.Release()
			})
		})
		b.Run("puddle/"+name, func(b *testing.B) {
			made := make(chan net.Conn, c.conns)
			for _, conn := range conns(b, c.conns) {
				made <- conn
			}
			p := kit.Must(puddle.NewPool(&puddle.Config[net.Conn]{
				Constructor: func(context.Context) (net.Conn, error) { return <-made, nil },
				Destructor:  func(conn net.Conn) { conn.Close() },
				MaxSize:     int32(c.conns),
			}))(b)
			defer p.Close()
			for range c.conns {
				kit.Check(b, p.CreateResource(ctx))
			}
			spread(b, c.goroutines, func() {
				conn, _ := p.Acquire(ctx)
				conn.Release()
			})
		})
		b.Run("channel/"+name, func(b *testing.B) {
			all := make(chan net.Conn, c.conns)
			for _, conn := range conns(b, c.conns) {
				all <- conn
			}
			spread(b, c.goroutines, func() { all <- <-all })
		})
	}
}

// conns are loopback connections until the benchmark ends.
func conns(b *testing.B, n int) []net.Conn {
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(b)
	defer l.Close()
	var all []net.Conn
	for range n {
		client := kit.Must(net.Dial("tcp", l.Addr().String()))(b)
		server := kit.Must(l.Accept())(b)
		kit.Check(b, server.(*net.TCPConn).SetLinger(0))
		b.Cleanup(func() { server.Close(); client.Close() })
		all = append(all, client)
	}
	return all
}

// spread runs do b.N times, by so many goroutines.
func spread(b *testing.B, goroutines int, do func()) {
	b.ReportAllocs()
	b.ResetTimer()
	var running sync.WaitGroup
	for i := range goroutines {
		running.Go(func() {
			for n := i; n < b.N; n += goroutines {
				do()
			}
		})
	}
	running.Wait()
	b.StopTimer()
}
