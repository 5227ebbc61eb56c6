package roam

import (
	"math/rand/v2"
	"testing"
)

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// seeded is a source that is the same in each run.
func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// newCore starts at 0 with servers 0 to n-1.
func newCore(t *testing.T, config Config, n int) *Core {
	t.Helper()
	var servers []int32
	for i := range int32(n) {
		servers = append(servers, i)
	}
	c, err := NewCore(config, seeded(), 0, servers)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pool is a view of a full pool with slots, each of a server of its own.
func pool(slots ...int) View {
	v := View{Max: len(slots)}
	for i, slot := range slots {
		v.add(Held{string(rune('a' + i)), slot})
	}
	return v
}
