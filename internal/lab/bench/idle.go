package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"time"

	"github.com/callosum-go/rover"
	"github.com/reactivex/rxgo/v2"
)

// idle measures what rovers cost that tick once a second, with three filtered
// subscribers each.
func idle(crowd int, length time.Duration) error {
	fmt.Println("\nidle rovers  goroutines each  KiB heap each  KiB stacks each  CPU of one core")
	for _, n := range []int{1, crowd} {
		var before, after runtime.MemStats
		settle(&before)
		goroutines := runtime.NumGoroutine()
		rovers := make([]*rover.Stream, n)
		for i := range rovers {
			s, err := rover.New(rover.WithDialer(calm{}),
				rover.WithServers(map[string]rover.Server{"a": {Host: "10.0.0.1", Port: 4040}}))
			if err != nil {
				return err
			}
			never := func(any) bool { return false }
			for _, o := range []rxgo.Observable{rover.Accept(s.Connections(), never), s.Unreachable(), s.Errors()} {
				o.Filter(never).ForEach(func(any) {}, nil, func() {})
			}
			if err := s.Start(context.Background()); err != nil {
				return err
			}
			rovers[i] = s
		}
		time.Sleep(1500 * time.Millisecond) // they have ticked, and wait
		cpu, start := cpuTime(), time.Now()
		time.Sleep(length)
		used := float64(cpuTime()-cpu) / float64(time.Since(start))
		settle(&after)
		each := func(after, before uint64) float64 { return float64(after-before) / 1024 / float64(n) }
		fmt.Printf("%11d  %15.1f  %13.1f  %15.1f  %14.1f%%\n", n, float64(runtime.NumGoroutine()-goroutines)/float64(n),
			each(after.HeapAlloc, before.HeapAlloc), each(after.StackInuse, before.StackInuse), 100*used)
		for _, s := range rovers {
			s.Stop()
		}
	}
	return nil
}

func settle(m *runtime.MemStats) {
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(m)
}

// calm dials a socket that has the line of slot 13, without a network.
type calm struct{}

func (calm) DialContext(context.Context, string, string) (net.Conn, error) {
	return &calmConn{left: line}, nil
}

type calmConn struct {
	net.Conn
	left []byte
}

func (c *calmConn) Read(p []byte) (int, error) {
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *calmConn) Close() error { return nil }
