package pool_test

import (
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// At the limit nothing is replaced that is lent; what is idle is, for that makes
// no socket more.
func TestMaxSockets(t *testing.T) {
	p := kit.Must(pool.New(pool.WithMax(2), pool.WithMaxSockets(3)))(t)
	defer p.Close()
	keep(t, p, 9, pipe)
	keep(t, p, 8, pipe)
	a, b := get(t, p), get(t, p)
	keep(t, p, 7, pipe)
	kit.Equal(t, "leaving", p.Stats().Leaving, 1)
	kit.Equal(t, "idle", p.Stats().Idle, 1)
	if _, kept := offer(t, p, 6, pipe); kept {
		t.Fatal("a fourth socket")
	}
	a.Release()
	b.Release()
	keep(t, p, 6, pipe)
	keep(t, p, 5, pipe) // for an idle one
	for range 2 {
		get(t, p)
	}
	keep(t, p, 4, pipe)
	s := p.Stats()
	kit.Equal(t, "kept", s.Kept, 2)
	kit.Equal(t, "leaving", s.Leaving, 1)
	kit.Equal(t, "lent", s.Lent, 1)
}
