package hot_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
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

func TestWhatWasSweptOutIsNotReachable(t *testing.T) {
	var over atomic.Bool
	s := hot.NewSubject(hot.WithReplay(func(v any) bool { return !over.Load() || v == "alive" }))
	gone := []weak.Pointer[[100]int]{}
	for range 10 {
		v := new([100]int)
		gone = append(gone, weak.Make(v))
		s.Publish(v)
	}
	over.Store(true)
	for range 50 { // sweeps, and fills some of the places
		s.Publish("alive")
		left := 0
		runtime.GC()
		for _, v := range gone {
			if v.Value() != nil {
				left++
			}
		}
		if left == 0 {
			return
		}
		if left < len(gone) {
			t.Fatalf("%d of %d are still reachable after the sweep", left, len(gone))
		}
	}
	t.Fatal("nothing was swept out")
}

// Nor is who has left, with its context.
func TestWhoHasLeftIsNotReachable(t *testing.T) {
	s := hot.NewSubject()
	defer s.Complete()
	type key struct{}
	var gone []weak.Pointer[[100]int]
	for range 3 {
		v := new([100]int)
		gone = append(gone, weak.Make(v))
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, v))
		done := s.Observable().DoOnNext(func(any) {}, rxgo.WithContext(ctx))
		cancel()
		<-done
	}
	for range 100 {
		runtime.GC()
		left := 0
		for _, v := range gone {
			if v.Value() != nil {
				left++
			}
		}
		if left == 0 {
			return
		}
		runtime.Gosched() // the goroutines that they left by end
	}
	t.Fatal("one that has left is reachable")
}
