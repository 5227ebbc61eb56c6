package pool_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// The pool is as large as the demand: few at rest, enough for a burst, and back.
func TestIdleFollowsTheDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 3, pool.WithMax(20), pool.WithIdle(2, 4))
		time.Sleep(10 * time.Second)
		kit.Equal(t, "kept at rest", p.Stats().Kept, 2)
		var all []*pool.Conn
		for range 12 {
			all = append(all, get(t, p))
			time.Sleep(time.Second)
		}
		s := p.Stats()
		kit.Equal(t, "lent", s.Lent+s.Leaving, 12) // one or the other may have been replaced
		kit.Equal(t, "idle beside", s.Idle, 2)
		for _, c := range all {
			c.Release()
		}
		s = p.Stats()
		kit.Equal(t, "kept", s.Kept, 4)
		if n := s.Causes[pool.Surplus]; n < 8 {
			t.Errorf("%d of 14 were too many", n)
		}
		time.Sleep(10 * time.Minute)
		kit.Equal(t, "kept", p.Stats().Kept, 4)
	})
}

// Who waits is demand, and Max is the limit.
func TestIdleAndWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := opened(t, 3, pool.WithMax(8), pool.WithIdle(0, 1))
		time.Sleep(10 * time.Second)
		kit.Equal(t, "kept with nobody there", p.Stats().Kept, 0)
		for range 10 {
			go func() {
				c, err := p.Get(t.Context())
				if err == nil {
					defer c.Close()
					<-t.Context().Done()
				}
			}()
		}
		time.Sleep(10 * time.Second)
		s := p.Stats()
		kit.Equal(t, "kept", s.Kept, 8)
		kit.Equal(t, "lent or waiting", s.Lent+s.Leaving+s.Waiting, 10)
	})
}

// The worst goes, whoever comes back.
func TestSurplusIsTheWorst(t *testing.T) {
	p := kit.Must(pool.New(pool.WithMax(3), pool.WithIdle(3, 3)))(t)
	defer p.Close()
	for slot := range 3 {
		keep(t, p, slot, pipe)
	}
	kit.Equal(t, "kept", p.Stats().Kept, 3)
	q := kit.Must(pool.New(pool.WithMax(3), pool.WithIdle(1, 1)))(t)
	defer q.Close()
	keep(t, q, 2, pipe)
	c := get(t, q)
	keep(t, q, 1, pipe)
	kit.Equal(t, "idle", q.Stats().Idle, 1)
	c.Release()
	kit.Equal(t, "kept", q.Stats().Kept, 1)
	kit.Equal(t, "slot kept", q.Stats().Highest, 1)
}

func TestOptionsOfNumbers(t *testing.T) {
	for want, opts := range map[string][]pool.Option{
		"pool: idle must be from 0 or more to at least 1 and that, got -1 to 1": {pool.WithIdle(-1, 1)},
		"pool: idle must be from 0 or more to at least 1 and that, got 0 to 0":  {pool.WithIdle(0, 0)},
		"pool: idle must be from 0 or more to at least 1 and that, got 3 to 2":  {pool.WithIdle(3, 2)},
		"pool: max age must be positive, got 0s":                                {pool.WithMaxAge(0)},
		"pool: drain grace must be positive, got -1s":                           {pool.WithDrainGrace(-time.Second)},
		"pool: max sockets must be at least 1, got 0":                           {pool.WithMaxSockets(0)},
		"pool: max sockets must be at least max, 10, got 9":                     {pool.WithMaxSockets(9), pool.WithMax(10)},
	} {
		if p, err := pool.New(opts...); p != nil || fmt.Sprint(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
