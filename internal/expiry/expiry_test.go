package expiry

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func node(v int) *Node[int] { return &Node[int]{Thing: v} }

func TestThingsExpireInOrderAndOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var got []int
		var at []time.Duration
		var mu sync.Mutex
		q := New(5*time.Second, func(v int) {
			mu.Lock()
			defer mu.Unlock()
			got, at = append(got, v), append(at, time.Since(start))
		})
		nodes := make([]*Node[int], 5)
		for i := range nodes {
			nodes[i] = node(i)
			if !q.Add(nodes[i]) {
				t.Fatal("not added")
			}
			time.Sleep(time.Second)
		}
		// 0 is gone by now. Removing one in the middle and the last must leave
		// the times of the others alone.
		synctest.Wait()
		for _, i := range []int{2, 4} {
			if !q.Remove(nodes[i]) || q.Remove(nodes[i]) {
				t.Errorf("%d was not removed once", i)
			}
		}
		if q.Remove(nodes[0]) {
			t.Error("0 expired, and was removed")
		}
		if due := nodes[3].Due(); due.Sub(start) != 8*time.Second {
			t.Errorf("3 is due at %v", due.Sub(start))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(got, []int{0, 1, 3}) || !slices.Equal(at, []time.Duration{5e9, 6e9, 8e9}) {
			t.Errorf("%v expired at %v", got, at)
		}
	})
}

func TestATimerThatRingsInVainIsSetAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		var mu sync.Mutex
		q := New(5*time.Second, func(int) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(start))
		})
		first := node(1)
		q.Add(first)
		q.Remove(first)
		time.Sleep(2 * time.Second)
		q.Add(node(2)) // the timer is still set for first
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(at, []time.Duration{7e9}) {
			t.Errorf("expired at %v", at)
		}
		q.Add(node(3))
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(at) != 2 || at[1] != 67*time.Second {
			t.Errorf("expired at %v", at)
		}
	})
}

func TestCloseReturnsWhatIsLeftAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expiring := false
		q := New(time.Second, func(int) {
			expiring = true
			time.Sleep(time.Minute)
			expiring = false
		})
		q.Add(node(1))
		time.Sleep(500 * time.Millisecond)
		q.Add(node(2))
		time.Sleep(600 * time.Millisecond)
		if left := q.Close(); !slices.Equal(left, []int{2}) || expiring {
			t.Errorf("%v left, expiring: %v", left, expiring)
		}
		if late := node(3); q.Add(late) || q.Remove(late) {
			t.Error("added after Close")
		}
		if left := q.Close(); left != nil {
			t.Errorf("the second Close returned %v", left)
		}
	})
}

// Each thing goes to exactly one of Remove, expire and Close.
func TestNothingIsLostOrDoubled(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[int]int)
	count := func(v int) {
		mu.Lock()
		seen[v]++
		mu.Unlock()
	}
	q := New(100*time.Microsecond, count)
	var wg sync.WaitGroup
	const workers, each = 8, 500
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				v := w*each + i
				n := node(v)
				if !q.Add(n) {
					count(v)
				} else if i%2 == 0 && q.Remove(n) {
					count(v)
				}
			}
		})
	}
	wg.Wait()
	for _, v := range q.Close() {
		count(v)
	}
	for v := range workers * each {
		if seen[v] != 1 {
			t.Fatalf("%d was seen %d times", v, seen[v])
		}
	}
}

func BenchmarkAddAndRemove(b *testing.B) {
	q := New(time.Hour, func(int) {})
	defer q.Close()
	b.ReportAllocs()
	n := node(1)
	for b.Loop() {
		q.Add(n)
		q.Remove(n)
	}
}
