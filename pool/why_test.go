package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// Whoever gets nothing hears how the pool is, and why.
func TestWaitError(t *testing.T) {
	for _, how := range []string{"Open", "New"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := []rover.Option{rover.WithServers(map[string]rover.Server{"a": {Host: "a", Port: 1}, "b": {Host: "b", Port: 1}}),
					rover.WithDialer(newNetwork()), rover.WithLogger(kit.Quiet())}
				var p *pool.Pool
				if how == "Open" {
					p = kit.Must(pool.Open(t.Context(), pool.WithRover(options...)))(t)
				} else {
					p = newPool(t, 3)
					r := kit.Must(rover.New(options...))(t)
					defer r.Stop()
					p.Attach(t.Context(), r.Connections().Filter(rover.SlotBelow(9)))
					kit.Check(t, r.Start(t.Context()))
				}
				defer p.Close()
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for what, err := range map[string]error{
					"get":        second(p.Get(ctx)),
					"dial":       second(p.DialContext(ctx, "tcp", "x:1")),
					"for server": second(p.ForServer(ctx, "a")),
				} {
					var why *pool.WaitError
					var timeout net.Error
					if !errors.As(err, &why) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
						t.Fatalf("%s: %#v", what, err)
					}
					kit.Equal(t, "reasons", len(why.Last), 2)
					kit.Equal(t, "reason", errors.Is(why.Last[0], syscall.ECONNREFUSED), true)
					kit.Equal(t, "since", why.Since, start)
					for _, want := range []string{"0 held", "0 lent", "0 waiting", `"a"`, `"b"`, "refused"} {
						if !strings.Contains(err.Error(), want) {
							t.Errorf("%s: %q is not in %q", what, want, err)
						}
					}
				}
				if why := p.Why(); !errors.Is(why, pool.ErrNone) || !strings.Contains(why.Error(), "refused") {
					t.Error(why)
				}
			})
		})
	}
}

func second[T any](_ T, err error) error { return err }

// Of a full pool, how many wait and since when is all there is to say.
func TestWaitErrorOfAFullPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		keep(t, p, 0, pipe)
		kit.Check(t, p.Why())
		c := get(t, p)
		time.Sleep(time.Hour)
		start := time.Now()
		for range 2 {
			go p.Get(t.Context())
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.Get(ctx)
		var why *pool.WaitError
		if !errors.As(err, &why) {
			t.Fatal(err)
		}
		kit.Equal(t, "error", fmt.Sprint(*why), fmt.Sprint(pool.WaitError{Held: 1, Lent: 1, Waiting: 2, Since: start, Err: context.DeadlineExceeded}))
		p.Close()
		c.Close()
		kit.Equal(t, "closed", p.Why(), pool.ErrClosed)
	})
}

// A server that answers is no reason any more.
func TestReasonsPass(t *testing.T) {
	p := newPool(t, 1)
	outcomes := make(chan rxgo.Item)
	p.Follow(t.Context(), rxgo.FromChannel(outcomes), nil)
	reasons := func() int { return len(p.Why().(*pool.WaitError).Last) }
	fail := func(id string) rxgo.Item {
		return rxgo.Of(rover.Outcome{ID: id, Err: &rover.UnreachableError{ID: id, Err: syscall.ECONNREFUSED}})
	}
	busy := rxgo.Of(rover.Outcome{Err: rover.ErrBusy})
	for _, item := range []rxgo.Item{fail("a"), fail("b"), fail("a"), busy, busy} {
		outcomes <- item
	}
	kit.Equal(t, "reasons", reasons(), 2)
	for _, item := range []rxgo.Item{rxgo.Of(rover.Outcome{ID: "a"}), busy, busy} {
		outcomes <- item
	}
	kit.Equal(t, "reasons", reasons(), 1)
	close(outcomes)
}

func TestAFullPoolHasNoReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, at := newNetwork(), rover.Server{Host: "a", Port: 1}
		p := kit.Must(pool.Open(t.Context(), pool.WithMax(2), pool.WithRover(rover.WithServers(map[string]rover.Server{"a": at}),
			rover.WithDialer(n), rover.WithLogger(kit.Quiet()))))(t)
		defer p.Close()
		time.Sleep(time.Minute)
		stop := n.serve(t, at)
		defer stop()
		time.Sleep(time.Minute)
		get(t, p)
		get(t, p)
		if why := p.Why(); why == nil || strings.Contains(why.Error(), "refused") {
			t.Error(why)
		}
	})
}

func TestStatsAreJSON(t *testing.T) {
	p := newPool(t, 2)
	keep(t, p, 3, pipe)
	c := get(t, p)
	c.Fail(errors.New("boom"))
	keep(t, p, 4, pipe)
	b := kit.Must(json.Marshal(p.Stats()))(t)
	for _, want := range []string{`"Kept":1`, `"Servers":{"somewhere:4040":1}`, `"Causes":{"failed":1}`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
	kit.Equal(t, "cause", pool.Cause(0).String(), "Cause(0)")
	kit.Equal(t, "cause", pool.Cause(99).String(), "Cause(99)")
	kit.Equal(t, "cause", pool.Surplus.Error(), "pool: connection is surplus")
}
