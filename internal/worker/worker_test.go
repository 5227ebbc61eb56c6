package worker

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waiting counts who waits in a group whose work is done.
func waiting(c *Group[func()]) int {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.idle)
}

func call(_ *Worker[func()], f func()) { f() }

func TestWhoWaitsGetsTheNextWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(call)
		defer c.Wait()
		for range 10 {
			c.Do(func() {})
			if n := waiting(c); n != 1 {
				t.Fatalf("%d goroutines for one piece of work after the other", n)
			}
		}
		hold := make(chan struct{})
		for range 3 {
			c.Do(func() { <-hold })
		}
		close(hold)
		if n := waiting(c); n != 3 {
			t.Errorf("%d goroutines for three at once", n)
		}
	})
}

func TestWhoIsNotNeededLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(call)
		defer c.Wait()
		hold := make(chan struct{})
		for range 3 {
			c.Do(func() { <-hold })
		}
		close(hold)
		time.Sleep(beat + beat/2) // the first tick finds them too fresh
		if n := waiting(c); n != 3 {
			t.Errorf("%d goroutines before the second tick, want all 3", n)
		}
		for range 40 { // one is needed, the same all the time
			c.Do(func() {})
			time.Sleep(beat / 10)
		}
		if n := waiting(c); n != 1 {
			t.Errorf("%d goroutines, and one is needed", n)
		}
		time.Sleep(2 * beat)
		if n := waiting(c); n != 0 {
			t.Errorf("%d goroutines, and none is needed", n)
		}
		c.Do(func() {})
		if n := waiting(c); n != 1 {
			t.Errorf("%d goroutines for one piece of work", n)
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(call)
		done := 0
		c.Do(func() { time.Sleep(time.Hour); done++ })
		c.Do(func() { runtime.Goexit() })
		c.Do(func() {})
		synctest.Wait()
		c.Wait() // and if anybody were left, the bubble would not end
		if done != 1 {
			t.Error("it did not wait for work under way")
		}
	})
}

func TestAllWorkIsDoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		var times [n]atomic.Int32
		var begun sync.WaitGroup
		c := New(func(_ *Worker[int], i int) {
			times[i].Add(1)
			begun.Done()
			if i%7 == 0 {
				runtime.Gosched()
			}
		})
		for i := range n {
			begun.Add(1)
			c.Do(i)
			if i%100 == 0 {
				begun.Wait()
			}
			if i%500 == 0 {
				time.Sleep(2 * beat) // so that they leave, too, while there is work
			}
		}
		c.Wait()
		for i := range times {
			if got := times[i].Load(); got != 1 {
				t.Fatalf("item %d: done %d times", i, got)
			}
		}
	})
}

// A worker whose work does not end is left behind, and gets no more of it.
func TestWaitDoesNotWaitForWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var stuck *Worker[func()]
		c := New(func(w *Worker[func()], f func()) { stuck = w; f() })
		c.Do(func() { <-hold })
		synctest.Wait()
		stuck.Leave()
		stuck.Leave() // again changes nothing
		c.Wait()
		if c.Do(func() { t.Error("work after Wait") }) {
			t.Error("taken after Wait")
		}
		close(hold) // and its goroutine ends
	})
}

func TestWhoHasLeftGetsNoMoreWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		c := New(func(w *Worker[func()], f func()) { w.Leave(); f() })
		defer c.Wait()
		c.Do(func() { <-hold })
		close(hold)
		if n := waiting(c); n != 0 {
			t.Errorf("%d idle workers, and the only one has left", n)
		}
	})
}
