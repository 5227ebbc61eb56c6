package pool_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

// BenchmarkLoan is one Get and one Release, beside a bare buffered channel.
// internal/lab/peers has other pools in the same run.
func BenchmarkLoan(b *testing.B) {
	ctx := context.Background()
	for _, goroutines := range []int{1, 16} {
		b.Run(fmt.Sprintf("pool/%d", goroutines), func(b *testing.B) {
			p := newPool(b, 10)
			for slot := range 10 {
				keep(b, p, slot, tcp)
			}
			spread(b, goroutines, func() {
				c, _ := p.Get(ctx)
				c.Release()
			})
		})
		b.Run(fmt.Sprintf("channel/%d", goroutines), func(b *testing.B) {
			all := make(chan net.Conn, 10)
			for range 10 {
				all <- nil
			}
			spread(b, goroutines, func() { all <- <-all })
		})
	}
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
}

// BenchmarkOffer offers a full pool connections it does not want, and ones
// that replace its worst. Making the offer is part of it.
func BenchmarkOffer(b *testing.B) {
	for _, slots := range []int{100, 10_000} {
		full := func(b *testing.B, lowest int) *pool.Pool {
			p := newPool(b, slots)
			for slot := range slots {
				p.Offer(rover.NewConnection("a", somewhere, lowest+slot, newSilent()))
			}
			b.ReportAllocs()
			b.ResetTimer()
			return p
		}
		b.Run(fmt.Sprintf("rejected/slots=%d", slots), func(b *testing.B) {
			p := full(b, 0)
			conn := newSilent()
			for range b.N {
				if p.Offer(rover.NewConnection("a", somewhere, slots, conn)) {
					b.Fatal("accepted")
				}
			}
		})
		b.Run(fmt.Sprintf("accepted/slots=%d", slots), func(b *testing.B) {
			p := full(b, b.N)
			for n := range b.N {
				if !p.Offer(rover.NewConnection("a", somewhere, b.N-n-1, newSilent())) {
					b.Fatal("rejected")
				}
			}
		})
	}
}

// A silent is a net.Conn from which nothing ever comes, and which costs next
// to nothing.
type silent struct {
	net.Conn
	closed chan struct{}
	once   sync.Once
}

func newSilent() *silent { return &silent{closed: make(chan struct{})} }

func (s *silent) Read([]byte) (int, error) {
	<-s.closed
	return 0, net.ErrClosed
}

func (s *silent) SetReadDeadline(time.Time) error { return nil }

func (s *silent) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
