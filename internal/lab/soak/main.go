//go:build !plan9

// Command soak lets rovers live in chaos and checks that nothing is lost and nothing is left.
//
// A run is a row of lives, one after the other. In each one a rover roams over servers on loopback
// TCP, sound ones and those of the table of faults, while servers are added, dropped and replaced
// and subscribers come, go, stall and panic, until it is stopped in one of several ways. After each
// life every counter must add up, every slot must be free and every goroutine and descriptor gone.
//
// With -relay it is clients and servers that know nothing of slots, and fronts and proxies between
// them: connections, half-closes, resets and drains at random, and every answer checked by its sum.
//
// A life follows from its seed, as far as the scheduler lets it: -seed repeats a run, and with
// -life one life of it. The exit code is 1 if something was wrong.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var plan plan
	flag.IntVar(&plan.attempts, "attempts", 200_000, "end when so many attempts were made")
	flag.DurationVar(&plan.time, "time", 10*time.Minute, "end after so long at the latest")
	flag.Uint64Var(&plan.seed, "seed", rand.Uint64(), "what all chance follows from")
	flag.IntVar(&plan.only, "life", 0, "only this life of the run; 0: all")
	flag.BoolVar(&plan.relay, "relay", false, "the relay form: fronts and a proxy between clients and servers; -attempts are lives then")
	flag.Parse()
	if flag.NArg() > 0 || plan.attempts < 1 || plan.time <= 0 || plan.only < 0 {
		fmt.Fprintln(os.Stderr, "soak: want no arguments, -attempts and -time above 0, and -life from 0")
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("soak: %d attempts or %v; again with -seed %d\n", plan.attempts, plan.time, plan.seed)
	run := newRun(plan)
	quiet := showProgress(run)
	err := run.live(ctx)
	quiet()
	fmt.Print(run.summary())
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	if plan.relay {
		fmt.Println("every answer is whole or cut, nothing is left open")
		return
	}
	fmt.Println("all counters add up, nothing is left open")
}
