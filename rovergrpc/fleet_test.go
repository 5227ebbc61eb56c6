package rovergrpc_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
)

// A fleet is clients under load, over servers that come and go.
type fleet struct {
	t       *testing.T
	nodes   map[string]*node
	pools   []*pool.Pool
	clients []client
	stop    chan struct{}
	work    sync.WaitGroup
	calls   atomic.Int64
	pings   atomic.Int64
	moves   atomic.Int64
}

// TestFleet has four clients call without a pause while servers join and leave.
// No call fails, no stream breaks, connections and calls are even each time.
func TestFleet(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	all, set := nodes(t, 2)
	f := &fleet{t: t, nodes: map[string]*node{"0": all[0], "1": all[1]}, stop: make(chan struct{})}
	for range 4 {
		p := open(t, set, 6)
		f.pools = append(f.pools, p)
		f.clients = append(f.clients, dial(t, p))
	}
	for _, c := range f.clients {
		f.work.Go(func() { f.call(c) })
		f.work.Go(func() { f.stream(c) })
	}
	var settled []float64
	for round := range rounds {
		settled = append(settled, f.even())
		n := serve(t, fmt.Sprint(round+2), "127.0.0.1:0")
		f.nodes[n.id] = n
		for _, p := range f.pools {
			if err := p.Stream().AddServer(n.id, n.at); err != nil {
				t.Fatal(err)
			}
		}
		settled = append(settled, f.even())
		gone := f.nodes[slices.Min(slices.Collect(maps.Keys(f.nodes)))]
		delete(f.nodes, gone.id)
		for _, p := range f.pools {
			p.Stream().DropServer(gone.id)
		}
		gone.GracefulStop()
	}
	close(f.stop)
	f.work.Wait()
	slices.Sort(settled)
	t.Logf("%d calls, %d messages on streams, which moved %d times; connections even after %.1f intervals, %.1f at the most",
		f.calls.Load(), f.pings.Load(), f.moves.Load(), settled[len(settled)/2], settled[len(settled)-1])
}

// call calls until the end.
func (f *fleet) call(c client) {
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for {
		if _, err := c.who(context.Background()); err != nil {
			f.t.Errorf("call %d: %v", f.calls.Load(), err)
			return
		}
		f.calls.Add(1)
		select {
		case <-f.stop:
			return
		case <-pause.C:
		}
	}
}

// stream has a stream open all the time. When it is to move it stays for some
// messages, as if it had to finish something, and opens anew.
func (f *fleet) stream(c client) {
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		ctx, moved := rovergrpc.Moving(context.Background())
		s, err := c.echo(ctx)
		if err != nil {
			f.t.Errorf("stream: %v", err)
			return
		}
		ended := false
		for left := 10; left > 0 && !ended; {
			if _, err := s.ping(); err != nil {
				f.t.Errorf("message %d: %v", f.pings.Load(), err)
				return
			}
			f.pings.Add(1)
			select {
			case <-moved:
				left--
			default:
			}
			select {
			case <-f.stop:
				ended = true
			case <-pause.C:
			}
		}
		if err := s.leave(); err != nil {
			f.t.Errorf("stream's end: %v", err)
		}
		if ended {
			return
		}
		f.moves.Add(1)
	}
}

// even waits until all servers have the same number of connections, and then until
// they get the same number of calls. It returns how many intervals the connections
// took.
func (f *fleet) even() float64 {
	f.t.Helper()
	begun := time.Now()
	want := 6 * len(f.pools) / len(f.nodes)
	kit.Within(f.t, "connections even", 20*time.Second, func() bool {
		of := map[rover.Server]int{}
		for _, p := range f.pools {
			for at, n := range p.Stats().Servers {
				of[at] += n
			}
		}
		for _, n := range f.nodes {
			if of[n.at] != want {
				return false
			}
		}
		return true
	})
	took := time.Since(begun)
	kit.Within(f.t, "calls even", 20*time.Second, f.callsEven)
	return float64(took) / float64(interval)
}

// callsEven makes as many calls with each client, and says whether the busiest
// server gets at most 1.1 times the mean of them.
func (f *fleet) callsEven() bool {
	calls := map[string]int{}
	for _, c := range f.clients {
		for range 60 {
			id, err := c.who(context.Background())
			if err != nil {
				f.t.Fatal(err)
			}
			calls[id]++
		}
	}
	most := slices.Max(slices.Collect(maps.Values(calls)))
	return most*len(f.nodes)*10 <= 60*len(f.clients)*11
}
