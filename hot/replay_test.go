package hot_test

import (
	"testing"

	"github.com/callosum-go/rover/hot"
)

// What is over is swept out, however much was published, and a publication
// costs the same whatever is kept.
func TestTheOverIsSweptOutOfTheReplay(t *testing.T) {
	const n = 10_000
	asked, alive := 0, 0 // the first values stay alive
	s := hot.NewSubject(hot.WithReplay(func(v any) bool { asked++; return v.(int) <= alive }))
	publish(s, 1, n)
	asked = 0
	s.Observable().Observe()
	if asked > 2 {
		t.Errorf("%d values are kept, and none is alive", asked)
	}

	alive, asked = n, 0
	s = hot.NewSubject(hot.WithReplay(func(v any) bool { asked++; return v.(int) <= alive }))
	publish(s, 1, n)
	if asked > 4*n {
		t.Errorf("asked %d times while %d were published", asked, n)
	}
	alive, asked = 10, 0
	publish(s, n+1, 4*n)
	asked = 0
	s.Observable().Observe()
	if asked < 10 || asked > 30 {
		t.Errorf("%d values are kept, and 10 are alive", asked)
	}
}
