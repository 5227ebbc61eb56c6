package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/set"
	"github.com/callosum-go/rover/server"
)

// A part is one step of the rover, beside hand-written code for the same job.
// Each is a benchmark whose operation is unit things at once.
type part struct {
	name       string
	unit       int
	ours, hand func(b *testing.B)
}

// parts measures the steps, taking turns, and prints the medians.
func parts(rounds int) {
	fmt.Println("\npart                                ns each  by hand   ratio  allocs each")
	for _, p := range allParts() {
		var ours, hand, allocs []float64
		for range rounds {
			a, b := testing.Benchmark(p.ours), testing.Benchmark(p.hand)
			ours = append(ours, float64(a.T.Nanoseconds())/float64(a.N*p.unit))
			hand = append(hand, float64(b.T.Nanoseconds())/float64(b.N*p.unit))
			allocs = append(allocs, float64(a.MemAllocs)/float64(a.N*p.unit))
		}
		same := func(v float64) float64 { return v }
		mine, theirs := median(ours, same), median(hand, same)
		fmt.Printf("%-34s %8.1f %8.1f  %5.2fx  %11.1f\n", p.name, mine, theirs, theirs/mine, median(allocs, same))
	}
}

func allParts() []part {
	all := []part{{"slot line parsed", 1, parseOurs, parseByHand}}
	for _, n := range []int{1, 3, 10, 100} {
		name := fmt.Sprintf("event to %d subscribers, each", n)
		all = append(all, part{name, n, publishOurs(n), publishByHand(n)})
	}
	for _, n := range []int{10, 1_000, 100_000, 1_000_000} {
		all = append(all, part{fmt.Sprintf("add, pick, drop of %d servers", n), 1, setOurs(n), setByHand(n)})
	}
	for _, n := range []int{10, 1_000, 1_000_000} {
		all = append(all, part{fmt.Sprintf("slot get and put, %d taken", n), 1, slotsOurs(n), slotsByHand(n)})
	}
	return all
}

var line = []byte("13\r\n")

func parseOurs(b *testing.B) {
	for b.Loop() {
		if slot, err := rover.ParseSlot(line); slot != 13 || err != nil {
			b.Fatal(slot, err)
		}
	}
}

func parseByHand(b *testing.B) {
	for b.Loop() {
		digits, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if slot, err := strconv.Atoi(string(digits)); slot != 13 || err != nil || !ok {
			b.Fatal(slot, err)
		}
	}
}

// publishOurs is an event through Filter and ForEach, until all have it.
func publishOurs(n int) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		subject := hot.NewSubject(hot.WithQueue(1024))
		var got sync.WaitGroup
		for range n {
			subject.Observable().Filter(func(v any) bool { return v != nil }).
				ForEach(func(any) { got.Done() }, nil, func() {})
		}
		event := any(&struct{ slot int }{3})
		publishInBatches(b, &got, n, func() { subject.Publish(event) })
		subject.Complete()
	}
}

// publishByHand is a channel and a goroutine for each subscriber.
func publishByHand(n int) func(*testing.B) {
	return func(b *testing.B) {
		var got sync.WaitGroup
		queues := make([]chan any, n)
		for i := range queues {
			queue := make(chan any, 1024)
			queues[i] = queue
			go func() {
				for v := range queue {
					if v != nil {
						got.Done()
					}
				}
			}()
		}
		event := any(&struct{ slot int }{3})
		publishInBatches(b, &got, n, func() {
			for _, queue := range queues {
				select {
				case queue <- event:
				default:
					b.Error("overflow")
				}
			}
		})
		for _, queue := range queues {
			close(queue)
		}
	}
}

// publishInBatches keeps the queues from overflowing.
func publishInBatches(b *testing.B, got *sync.WaitGroup, n int, publish func()) {
	const batch = 512
	b.ResetTimer()
	for left := b.N; left > 0; left -= batch {
		events := min(left, batch)
		got.Add(events * n)
		for range events {
			publish()
		}
		got.Wait()
	}
}

func setOurs(n int) func(*testing.B) {
	servers := make(map[string]rover.Server, n)
	for i := range n {
		servers[fmt.Sprint("server-", i)] = rover.Server{Host: "10.0.0.1", Port: 1}
	}
	var set set.Set[rover.Server]
	set.Merge(servers, func(string, rover.Server) error { return nil })
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			set.Add("one more", rover.Server{Host: "10.0.0.1", Port: 1})
			if _, err := set.Pick(rand.IntN); err != nil {
				b.Fatal(err)
			}
			set.Drop("one more")
		}
	}
}

// setByHand is a map that is walked to a random place, as in the reference and
// most hand-written code.
func setByHand(n int) func(*testing.B) {
	servers := make(map[string]rover.Server, n)
	for i := range n {
		servers[fmt.Sprint("server-", i)] = rover.Server{Host: "10.0.0.1", Port: 1}
	}
	return func(b *testing.B) {
		for b.Loop() {
			servers["one more"] = rover.Server{Host: "10.0.0.1", Port: 1}
			at := rand.IntN(len(servers))
			for range servers {
				if at--; at < 0 {
					break
				}
			}
			delete(servers, "one more")
		}
	}
}

func slotsOurs(taken int) func(*testing.B) {
	var slots server.Slots
	for range taken {
		slots.Get()
	}
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			slot := rand.IntN(taken)
			_ = slots.Put(slot)
			slots.Get()
		}
	}
}

// slotsByHand scans for the lowest free slot.
func slotsByHand(taken int) func(*testing.B) {
	used := make([]bool, taken)
	for i := range used {
		used[i] = true
	}
	return func(b *testing.B) {
		for b.Loop() {
			used[rand.IntN(taken)] = false
			for i, is := range used {
				if !is {
					used[i] = true
					break
				}
			}
		}
	}
}
