package pool_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// The second of any two does nothing, also to who has the socket by then.
func TestTheSecondOfAnyTwoIsHarmless(t *testing.T) {
	release := (*pool.Conn).Release
	shut := func(c *pool.Conn) { c.Close() }
	for name, second := range map[string]func(*pool.Conn){"release": release, "close": shut} {
		t.Run("release, "+name, func(t *testing.T) {
			p := newPool(t, 1)
			server := keep(t, p, 0, tcp)
			old := get(t, p)
			old.Release()
			second(old)
			c := get(t, p)
			second(old)
			if _, ok := p.TryGet(); ok {
				t.Fatal("one socket is lent to two")
			}
			kit.Check(t, say(c, "x"))
			kit.Equal(t, "heard", hear(t, server, 1), "x")
			for what, err := range map[string]error{
				"write": say(old, "y"), "deadline": old.SetDeadline(time.Now()), "read": readOne(old),
			} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s through a loan that is over: got %v", what, err)
				}
			}
			kit.Equal(t, "slot of a loan that is over", old.Slot(), 0)
		})
		t.Run("close, "+name, func(t *testing.T) {
			p := newPool(t, 1)
			keep(t, p, 5, tcp)
			old := get(t, p)
			old.Close()
			keep(t, p, 6, tcp)
			second(old)
			s := p.Stats()
			kit.Equal(t, "closed", s.Closed, 1)
			kit.Equal(t, "idle", s.Idle, 1)
			kit.Equal(t, "leaving", s.Leaving, 0)
		})
	}
}

func readOne(c net.Conn) error {
	_, err := c.Read(make([]byte, 1))
	return err
}

// Many loans of few sockets leave the pool as it was.
func TestManyLoans(t *testing.T) {
	p := newPool(t, 2)
	keep(t, p, 0, pipe)
	keep(t, p, 1, pipe)
	var loans sync.WaitGroup
	var holders [2]atomic.Int32
	for range 16 {
		loans.Go(func() {
			for range 100 {
				c := get(t, p)
				if holders[c.Slot()].Add(1) != 1 {
					t.Error("one socket is lent to two")
				}
				holders[c.Slot()].Add(-1)
				c.Release()
			}
		})
	}
	loans.Wait()
	s := p.Stats()
	kit.Equal(t, "kept", s.Kept, 2)
	kit.Equal(t, "idle", s.Idle, 2)
	kit.Equal(t, "waiting", s.Waiting, 0)
}

func TestWaitingIsInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		var order []int
		var running sync.WaitGroup
		for i := range 5 {
			running.Go(func() {
				c := get(t, p)
				order = append(order, i) // one at a time holds the connection
				c.Release()
			})
			synctest.Wait()
		}
		kit.Equal(t, "waiting", p.Stats().Waiting, 5)
		if _, ok := p.TryGet(); ok {
			t.Fatal("lent from an empty pool")
		}
		keep(t, p, 0, pipe)
		running.Wait()
		for i, who := range order {
			kit.Equal(t, "who came", who, i)
		}
	})
}

func TestWhoWaitsLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var running sync.WaitGroup
		for range 3 {
			running.Go(func() {
				_, err := p.Get(ctx)
				kit.Equal(t, "error", errors.Is(err, context.DeadlineExceeded), true)
			})
			running.Go(func() {
				_, err := p.Get(context.Background())
				kit.Equal(t, "error", err, pool.ErrClosed)
			})
		}
		time.Sleep(time.Hour)
		kit.Equal(t, "waiting", p.Stats().Waiting, 3)
		p.Close()
		running.Wait()
		_, err := p.Get(ctx)
		kit.Equal(t, "error", errors.Is(err, context.DeadlineExceeded), true)
	})
}

// A connection that is lent to somebody in the moment they give up is not lost.
func TestLentToWhoJustLeft(t *testing.T) {
	p := newPool(t, 1)
	keep(t, p, 0, pipe)
	served := 0
	for range 100 {
		c := get(t, p)
		if c, err := p.Get(&leaving{Context: context.Background(), first: c.Release}); err == nil {
			c.Release()
			served++
		} else {
			kit.Equal(t, "error", errors.Is(err, context.Canceled), true)
		}
		kit.Equal(t, "idle", p.Stats().Idle, 1)
	}
	if served == 0 || served == 100 {
		t.Fatalf("served %d times of 100, want some and not all", served)
	}
}

// leaving is a context that ends once it is waited for, when something else
// has been done.
type leaving struct {
	context.Context
	first func()
	err   error
}

func (c *leaving) Done() <-chan struct{} {
	c.first()
	c.err = context.Canceled
	done := make(chan struct{})
	close(done)
	return done
}

func (c *leaving) Err() error { return c.err }

// Which idle one is lent is uniform: of 4,000 loans of 4, none is beyond six
// standard deviations (27.4) from 1,000.
func TestLoansAreSpreadEvenly(t *testing.T) {
	p := newPool(t, 4)
	for slot := range 4 {
		keep(t, p, slot, pipe)
	}
	var loans [4]int
	for range 4000 {
		c := get(t, p)
		loans[c.Slot()]++
		c.Release()
	}
	for slot, n := range loans {
		if n < 1000-165 || n > 1000+165 {
			t.Errorf("slot %d was lent %d times of 4000", slot, n)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	p := newPool(t, 4)
	for slot := range 4 {
		keep(t, p, slot, tcp)
	}
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() {
		c, _ := p.Get(ctx)
		c.Release()
	}); n > 0 {
		t.Errorf("%v allocations a loan", n)
	}
}
