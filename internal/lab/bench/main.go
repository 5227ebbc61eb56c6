// Command bench measures a rover beside hand-written loops, in one run, and
// prints one table.
//
//	go run ./internal/lab/bench
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

func main() {
	serving := flag.Bool("serve", false, "be the server (started by bench itself)")
	rounds := flag.Int("rounds", 9, "how often each figure is measured; the median is shown")
	length := flag.Duration("length", time.Second, "how long one measurement of attempts takes")
	crowd := flag.Int("crowd", 10_000, "how many idle rovers to measure at the most")
	flag.Parse()
	run := func() error { return bench(*rounds, *length, *crowd) }
	if *serving {
		run = serve
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bench(rounds int, length time.Duration, crowd int) error {
	fmt.Printf("%s %s/%s, %d cores\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if err := attempts(rounds, length); err != nil {
		return err
	}
	parts(rounds)
	return idle(crowd, 5*length)
}

// A sample is one measurement of one loop.
type sample struct {
	rate   float64       // attempts a second
	cpu    time.Duration // an attempt, this process
	allocs float64       // an attempt
}

var contestants = []struct {
	name string
	run  loop
}{
	{"leanest loop", lean},
	{"usual loop", usual},
	{"leanest, consumed", consumed},
	{"rover", pipeline},
}

// attempts measures whole attempts, the contestants taking turns, in a new order
// each round, so that what else the machine does hits all of them alike.
func attempts(rounds int, length time.Duration) error {
	addresses, stop, err := startServer()
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println("in flight  contestant         attempts/s  of leanest  of usual  CPU/attempt  allocs/attempt")
	for _, inFlight := range []int{1, 8, 64} {
		samples := make([][]sample, len(contestants))
		for range rounds {
			for _, i := range rand.Perm(len(contestants)) {
				one, err := measure(contestants[i].run, addresses, inFlight, length)
				if err != nil {
					return fmt.Errorf("bench: %s: %w", contestants[i].name, err)
				}
				samples[i] = append(samples[i], one)
			}
		}
		rate := func(s sample) float64 { return s.rate }
		for i, c := range contestants {
			fmt.Printf("%9d  %-17s  %10.0f  %9.2fx  %7.2fx  %9.1fµs  %14.1f\n", inFlight, c.name,
				median(samples[i], rate),
				ratio(samples[i], samples[0]), ratio(samples[i], samples[1]),
				median(samples[i], func(s sample) float64 { return float64(s.cpu) / 1e3 }),
				median(samples[i], func(s sample) float64 { return s.allocs }))
		}
	}
	return nil
}

func measure(run loop, addresses []string, inFlight int, length time.Duration) (sample, error) {
	runtime.GC()
	var before, after runtime.MemStats
	var count atomic.Int64
	ctx, cancel := context.WithCancel(context.Background()) // not a deadline, which would be that of each dial too
	defer time.AfterFunc(length, cancel).Stop()
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	err := run(ctx, addresses, inFlight, &count)
	took, used := time.Since(start), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	n := float64(max(count.Load(), 1))
	return sample{
		rate:   n / took.Seconds(),
		cpu:    time.Duration(float64(used) / n),
		allocs: float64(after.Mallocs-before.Mallocs) / n,
	}, err
}

// ratio is the median of the ratios of rounds, not the ratio of medians: the
// two of a round ran side by side.
func ratio(samples, to []sample) float64 {
	ratios := make([]float64, len(samples))
	for i := range samples {
		ratios[i] = samples[i].rate / to[i].rate
	}
	return median(ratios, func(r float64) float64 { return r })
}

func median[T any](samples []T, of func(T) float64) float64 {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b T) int { return cmp.Compare(of(a), of(b)) })
	return of(sorted[len(sorted)/2])
}
