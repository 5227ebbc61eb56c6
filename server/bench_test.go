package server_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// One slot of n is given back and, being the lowest free one, given again.
func BenchmarkSlots(b *testing.B) {
	for n := 10; n <= 1_000_000; n *= 10 {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			slots := taken(n)
			b.ReportAllocs()
			for b.Loop() {
				slot := rand.IntN(n)
				slots.Put(slot)
				if slots.Get() != slot {
					b.Fatal("not the lowest free slot")
				}
			}
		})
	}
}

// The same by many goroutines: each gives back the slot it took.
func BenchmarkSlotsParallel(b *testing.B) {
	slots := taken(1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			slots.Put(slots.Get())
		}
	})
}

func taken(n int) *server.Slots {
	var slots server.Slots
	for range n {
		slots.Get()
	}
	return &slots
}

// From the inner Accept to Accept's return, without a network: the cost of the
// slot line itself, with its goroutine.
func BenchmarkSlotLine(b *testing.B) {
	l := kit.Must(server.NewListener(sinks{}))(b)
	defer l.Close()
	b.ReportAllocs()
	for b.Loop() {
		kit.Must(l.Accept())(b).Close()
	}
}

// Clients on loopback dial, read the line and refuse, two at a time for each
// processor. "bare" is the least that any server must do, in the same process:
// accept, write, wait for the end, close. "wrapped" has connections that are no
// *net.TCPConn to the listener; accept-to-line is from the return of the inner
// Accept until the line is written.
func BenchmarkConnections(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(b)
		benchmarkConnections(b, inner, func(c net.Conn) { io.WriteString(c, "0\r\n") })
	})
	b.Run("server", func(b *testing.B) {
		benchmarkConnections(b, kit.Must(server.Listen("tcp", "127.0.0.1:0"))(b), func(net.Conn) {})
	})
	b.Run("wrapped", func(b *testing.B) {
		inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(b)
		var lines, nanos atomic.Int64
		l := kit.Must(server.NewListener(stamper{inner}, server.WithOnGiven(func(c *server.Conn) {
			nanos.Add(int64(time.Since(c.NetConn().(stamped).at)))
			lines.Add(1)
		})))(b)
		benchmarkConnections(b, l, func(net.Conn) {})
		b.ReportMetric(float64(nanos.Load())/float64(lines.Load()), "ns/accept-to-line")
	})
}

func benchmarkConnections(b *testing.B, l net.Listener, announce func(net.Conn)) {
	stop := serve(b, l, func(c net.Conn) {
		announce(c)
		readToEnd(c)
	})
	addr := l.Addr().String()
	b.ReportAllocs()
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		line := make([]byte, 32)
		for pb.Next() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := c.Read(line); err != nil {
				b.Error(err)
			}
			c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT: the ports do not run out
			c.Close()
		}
	})
	stop()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conns/s")
}

// stamper notes when a connection was accepted.
type stamper struct{ net.Listener }

type stamped struct {
	net.Conn
	at time.Time
}

func (s stamper) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	return stamped{c, time.Now()}, err
}

// sinks accepts, at once and without end, connections that take what is written.
type sinks struct{}

func (sinks) Accept() (net.Conn, error) { return sink{}, nil }
func (sinks) Close() error              { return nil }
func (sinks) Addr() net.Addr            { return nil }

type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error)   { return len(p), nil }
func (sink) SetDeadline(t time.Time) error { return nil }
func (sink) Close() error                  { return nil }
