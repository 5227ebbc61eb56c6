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

// add adds a node of its own for v.
func add(q *Queue[int], v int) (n *Node[int], ok bool) {
	n = &Node[int]{}
	return n, q.Add(n, v, time.Now())
}

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
			n, ok := add(q, i)
			if !ok {
				t.Fatal("not added")
			}
			nodes[i] = n
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
		if all := q.All(); !slices.Equal(all, []int{1, 3}) {
			t.Errorf("%v are in the queue", all)
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
		first, _ := add(q, 1)
		q.Remove(first)
		time.Sleep(2 * time.Second)
		add(q, 2) // the timer is still set for first
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(at, []time.Duration{7e9}) {
			t.Errorf("expired at %v", at)
		}
		add(q, 3)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(at) != 2 || at[1] != 67*time.Second {
			t.Errorf("expired at %v", at)
		}
	})
}

func TestARenewedThingHasItsWholeTimeAgain(t *testing.T) {
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
		first, _ := add(q, 1)
		time.Sleep(time.Second)
		add(q, 2)
		time.Sleep(2 * time.Second)
		if !q.Renew(first, time.Now()) {
			t.Error("it is in the queue")
		}
		time.Sleep(time.Minute)
		if q.Renew(first, time.Now()) {
			t.Error("renewed after its time")
		}
		synctest.Wait()
		if !slices.Equal(got, []int{2, 1}) || !slices.Equal(at, []time.Duration{6e9, 8e9}) {
			t.Errorf("%v expired at %v", got, at)
		}
		if left := q.Close(); left != nil {
			t.Errorf("%v left", left)
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
		add(q, 1)
		time.Sleep(500 * time.Millisecond)
		add(q, 2)
		time.Sleep(600 * time.Millisecond)
		if left := q.Close(); !slices.Equal(left, []int{2}) || expiring {
			t.Errorf("%v left, expiring: %v", left, expiring)
		}
		if late, ok := add(q, 3); ok || q.Remove(late) {
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
				n, ok := add(q, v)
				if !ok {
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
	n, now := &Node[int]{}, time.Now()
	for b.Loop() {
		q.Add(n, 1, now)
		q.Remove(n)
	}
}
