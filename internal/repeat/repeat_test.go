package repeat

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"
)

func TestOnceThenOnceAMinuteWithItsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log Log
		var said []string
		for second := range 181 {
			if times, now := log.Happened("a"); now {
				said = append(said, fmt.Sprint(second, "s ", times))
			}
			if second == 90 {
				if times, now := log.Happened("b"); times != 1 || !now {
					t.Errorf("something else: %d times, %v", times, now)
				}
			}
			time.Sleep(time.Second)
		}
		if got, want := fmt.Sprint(said), "[0s 1 60s 60 120s 60 180s 60]"; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		log.Happened("a")
		if held := log.Held(); !maps.Equal(held, map[string]int{"a": 1}) {
			t.Errorf("held back: %v", held)
		}
		if _, now := log.Happened("a"); !now {
			t.Error("it was to forget all")
		}
	})
}

// However many different things happen, little is remembered, and what happens
// all the time is not what is forgotten.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log Log
		logged := 0
		for i := range 5 * most {
			log.Happened(fmt.Sprint(i))
			if _, now := log.Happened("always"); now {
				logged++
			}
			time.Sleep(Every / most)
			if len(log.known) > most {
				t.Fatalf("%d things are remembered", len(log.known))
			}
		}
		if logged > 6 {
			t.Errorf("in five minutes it was logged %d times", logged)
		}
	})
}
