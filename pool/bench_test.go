package pool_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/pool"
)

// A socket is a net.Conn that does nothing: it answers as a pipe does whose
// other side is silent, and costs as little as can be.
type socket struct {
	net.Conn
	closed chan struct{}
}

func newSocket() *socket { return &socket{closed: make(chan struct{})} }

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

func BenchmarkOffer(b *testing.B) {
	_ = rover.Server{}
	_ = pool.DefaultMax
}
