package worker

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who became idle a moment ago is not sent away by the next beat, however many
// beats there were before.
func TestABeatLeavesWhoIsFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(call)
		defer g.Wait()
		g.Do(func() {})
		time.Sleep(beat / 2)
		hold := make(chan struct{})
		g.Do(func() { <-hold })
		g.Do(func() {}) // somebody waits: the beats go on
		time.Sleep(beat)
		close(hold) // beats have passed
		synctest.Wait()
		before := waiting(g)
		time.Sleep(beat * 6 / 10) // one more beat
		if n := waiting(g); before != 2 || n != 1 {
			t.Errorf("%d waited, and behind a beat %d; want 2, and the fresh one", before, n)
		}
	})
}

// Where nobody waits, nothing wakes up.
func TestTheTimerEndsWithTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(call)
		defer g.Wait()
		g.Do(func() {})
		time.Sleep(3 * beat)
		g.mu.Lock()
		beats := g.beats
		g.mu.Unlock()
		time.Sleep(10 * beat)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.beats != beats || g.armed {
			t.Errorf("%d beats for nobody, armed: %v", g.beats-beats, g.armed)
		}
	})
}
