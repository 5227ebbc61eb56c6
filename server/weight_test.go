package server_test

import (
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/roam"
	"github.com/callosum-go/rover/server"
)

// numbers are the next n lines, each on a connection that stays.
func numbers(t *testing.T, inner *pipes, n int) (got []int) {
	t.Helper()
	for range n {
		got = append(got, slotOf(t, inner.dial()))
	}
	return got
}

// serving accepts all that come and keeps it.
func serving(t *testing.T, opts ...server.Option) (*pipes, *server.Listener) {
	inner := newPipes()
	l := kit.Must(server.NewListener(inner, opts...))(t)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	return inner, l
}

func TestWeightScalesTheLine(t *testing.T) {
	for _, test := range []struct {
		weight float64
		want   []int
	}{
		{1, []int{0, 1, 2, 3, 4, 5}},
		{2, []int{0, 0, 1, 1, 2, 2}},
		{0.5, []int{1, 3, 5, 7, 9, 11}},
		{1.5, []int{0, 1, 1, 2, 3, 3}},
		{0.1, []int{9, 19, 29, 39, 49, 59}},
		{0.3, []int{3, 6, 9, 13, 16, 19}},
		{1e-300, []int{server.Drain - 1, server.Drain - 1, server.Drain - 1, server.Drain - 1, server.Drain - 1, server.Drain - 1}},
		{1e300, []int{0, 0, 0, 0, 0, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			inner, _ := serving(t, server.WithWeight(test.weight))
			if diff := cmp.Diff(test.want, numbers(t, inner, 6)); diff != "" {
				t.Errorf("weight %v: %s", test.weight, diff)
			}
		})
	}
}

// The weight of lines to come changes while the listener runs; Slot stays the
// slot.
func TestSetWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		l := kit.Must(server.NewListener(inner))(t)
		defer l.Close()
		next := func() (line int, c *server.Conn) {
			conns := make(chan net.Conn, 1)
			go func() { conns <- kit.Must(l.Accept())(t) }()
			line = slotOf(t, inner.dial())
			return line, (<-conns).(*server.Conn)
		}
		line, _ := next()
		kit.Equal(t, "weight 1", line, 0)
		kit.Check(t, l.SetWeight(0.25))
		line, c := next()
		kit.Equal(t, "weight 1/4", line, 7)
		kit.Equal(t, "slot", c.Slot(), 1)
		kit.Equal(t, "announced", c.Announced(), 7)
		for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
			if err := l.SetWeight(bad); err == nil {
				t.Errorf("weight %v is taken", bad)
			}
		}
		kit.Equal(t, "weight after bad ones", l.Weight(), 0.25)
	})
}

func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, l := serving(t, server.WithWeight(2), server.WithSlowStart(10*time.Second))
		got := []int{}
		for range 6 {
			got = append(got, numbers(t, inner, 1)...)
			time.Sleep(2 * time.Second)
		}
		// slot+1 over 0.2, 0.4, 0.8, 1.2, 1.6, 2
		if diff := cmp.Diff([]int{4, 4, 3, 3, 3, 2}, got); diff != "" {
			t.Error(diff)
		}
		kit.Equal(t, "weight at the end", l.Weight(), 2)
	})
}

// A tenth of 0.7 is less than 0.07 for a computer: seven of them must not be more
// than 100.
func TestWeightIsRounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, _ := serving(t, server.WithWeight(0.7), server.WithSlowStart(time.Hour))
		kit.Equal(t, "slot 6", numbers(t, inner, 7)[6], 99)
	})
}

func TestTheMarkIsTheClients(t *testing.T) {
	kit.Equal(t, "mark", server.Drain, roam.Drain)
}
