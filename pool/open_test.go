package pool_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
)

func TestOpenOptions(t *testing.T) {
	for want, opt := range map[string]pool.Option{
		"pool: max must be at least 1, got 0":             pool.WithMax(0),
		"rover: dial timeout must be positive, got 0s":    pool.WithRover(rover.WithDialTimeout(0)),
		"roam: idle must be at least 1 interval, got 0.5": pool.WithRoaming(roam.WithIdle(0.5)),
		"pool: option 1 of 1 is nil":                      nil,
	} {
		p, err := pool.Open(context.Background(), opt)
		if p != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want the error %q", p, err, want)
		}
	}
	for want, opt := range map[string]pool.Option{
		"pool: WithRover is an option of Open, not of New":   pool.WithRover(),
		"pool: WithRoaming is an option of Open, not of New": pool.WithRoaming(),
	} {
		p, err := pool.New(opt)
		if p != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want the error %q", p, err, want)
		}
	}
	kit.Equal(t, "a rover of New", newPool(t, 1).Stream(), nil)
}

// opened is a pool of Open, and a network of so many servers.
func opened(t *testing.T, servers int, opts ...pool.Option) *pool.Pool {
	n := newNetwork()
	set := map[string]rover.Server{}
	for i := range servers {
		id := fmt.Sprint("s", i)
		set[id] = rover.Server{Host: id, Port: 4040}
		t.Cleanup(n.serve(t, set[id]))
	}
	p := kit.Must(pool.Open(context.Background(), append([]pool.Option{
		pool.WithRover(rover.WithServers(set), rover.WithDialer(n), rover.WithLogger(kit.Quiet()))}, opts...)...))(t)
	t.Cleanup(p.Close)
	return p
}

// It is full at once, evenly, and Close ends all of it.
func TestOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 3, pool.WithMax(12))
		time.Sleep(time.Second)
		kit.Equal(t, "kept", p.Stats().Kept, 12)
		time.Sleep(10 * time.Second)
		for at, n := range p.Stats().Servers {
			kit.Equal(t, "of "+at.Host, n, 4)
		}
		attempts := p.Stream().Stats().Attempts
		time.Sleep(5 * time.Minute)
		if more := p.Stream().Stats().Attempts - attempts; more > 60 {
			t.Errorf("%d attempts in 300 intervals at rest", more)
		}
		p.Close()
		kit.Equal(t, "start", p.Stream().Start(context.Background()), rover.ErrStopped)
		kit.Equal(t, "kept", p.Stats().Kept, 0)
	})
}

// The end of its context ends the roving; what is kept stays until Close.
func TestOpenContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		at := rover.Server{Host: "a", Port: 1}
		defer n.serve(t, at)()
		ctx, cancel := context.WithCancel(context.Background())
		p := kit.Must(pool.Open(ctx, pool.WithMax(2), pool.WithRover(rover.WithServers(map[string]rover.Server{"a": at}), rover.WithDialer(n))))(t)
		defer p.Close()
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		kit.Equal(t, "kept", p.Stats().Kept, 2)
		get(t, p).Close()
		time.Sleep(time.Minute)
		kit.Equal(t, "kept", p.Stats().Kept, 1)
	})
}

// Ticks of the user's take the policy's place, and the lowest slots are kept.
func TestOpenWithTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 2, pool.WithMax(4), pool.WithRover(rover.WithTicks(rover.Interval(10*time.Second))))
		time.Sleep(25 * time.Second)
		kit.Equal(t, "kept", p.Stats().Kept, 3)
		kit.Equal(t, "ticks", p.Stream().Stats().Ticks, 3)
	})
}

// A choice of the user's takes the policy's place there.
func TestOpenWithChoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := opened(t, 2, pool.WithMax(4), pool.WithChoice(func(v roam.View, _ *rover.Connection) roam.Verdict {
			asked.Add(1)
			if v.Short() > 2 {
				return roam.Verdict{Choice: roam.Keep}
			}
			return roam.Verdict{}
		}))
		time.Sleep(time.Minute)
		kit.Equal(t, "kept", p.Stats().Kept, 2)
		if asked.Load() < 10 {
			t.Error("asked", asked.Load(), "times")
		}
	})
}

// A connection that its borrower closes has a successor at once, and one that
// breaks soon: nobody waits for an interval.
func TestOpenFillsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 3, pool.WithMax(5))
		time.Sleep(10 * time.Minute) // at rest
		for range 3 {
			get(t, p).Close()
		}
		time.Sleep(100 * time.Millisecond)
		kit.Equal(t, "kept", p.Stats().Kept, 5)
	})
}
