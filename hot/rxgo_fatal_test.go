package hot_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// What RxGo v2.5.0 does that a process does not get over: each runs in a
// process of its own.

var inAChild sync.Map // each once is enough, however often the test is run

// fatal runs do in a child process, whose output must then contain want.
func fatal(t *testing.T, want string, do func()) {
	t.Helper()
	if os.Getenv("HOT_FATAL") == t.Name() {
		do()
		fmt.Println("survived")
		os.Exit(0)
	}
	if _, done := inAChild.LoadOrStore(t.Name(), true); done {
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "HOT_FATAL="+t.Name())
	output, _ := child.CombinedOutput()
	if !strings.Contains(string(output), want) {
		t.Fatalf("want %q, the child said:\n%s", want, output)
	}
}

func forever() { select {} }

func TestRxGoFlatMapObservedTwicePanics(t *testing.T) {
	fatal(t, "close of closed channel", func() {
		o := rxgo.Empty().FlatMap(func(rxgo.Item) rxgo.Observable { return rxgo.Empty() })
		o.Observe()
		o.Observe()
		forever()
	})
}

func TestRxGoBackOffRetryPanicsWhenCancelled(t *testing.T) {
	fatal(t, "close of closed channel", func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		rxgo.Never().BackOffRetry(onlyOnce{}, rxgo.WithContext(ctx))
		forever()
	})
}

type onlyOnce struct{}

func (onlyOnce) NextBackOff() time.Duration { return -1 }
func (onlyOnce) Reset()                     {}

func TestRxGoTakeLastOfNonePanics(t *testing.T) {
	fatal(t, "nil pointer dereference", func() {
		rxgo.Just(1)().TakeLast(0).Observe()
		forever()
	})
}

// The publisher gives up in the middle of a send, with a lock held that the
// next Observe asks for.
func TestRxGoEventSourceDeadlocksAfterACancel(t *testing.T) {
	fatal(t, "blocked in RWMutex.Lock, and nobody to unlock it", func() {
		source := make(chan rxgo.Item)
		ctx, cancel := context.WithCancel(context.Background())
		o := rxgo.FromEventSource(source, rxgo.WithContext(ctx))
		o.Observe() // reads nothing
		source <- rxgo.Of(1)
		until(func(stacks string) bool { return strings.Contains(stacks, "SendContext") })
		cancel()
		until(func(stacks string) bool { return !strings.Contains(stacks, "newEventSourceIterable") })
		go o.Observe()
		until(func(stacks string) bool {
			return strings.Contains(stacks, "(*RWMutex).Lock") && strings.Contains(stacks, "eventSourceIterable).Observe")
		})
		fmt.Println("blocked in RWMutex.Lock, and nobody to unlock it")
		os.Exit(0)
	})
}

func TestRxGoSerializeOptionNeverEndsAnEmptyStream(t *testing.T) {
	fatal(t, "waits for a first item, and nobody is left to send it", func() {
		go drain(rxgo.Empty().Map(same, rxgo.WithPool(2), rxgo.Serialize(func(any) int { return 0 })).Observe())
		until(func(stacks string) bool {
			return strings.Contains(stacks, "serialize.func") && !strings.Contains(stacks, "runFirstItem")
		})
		fmt.Println("waits for a first item, and nobody is left to send it")
		os.Exit(0)
	})
}

// until waits for what the stacks of all goroutines are to show.
func until(shown func(stacks string) bool) {
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); runtime.Gosched() {
		if shown(string(stacks[:runtime.Stack(stacks, true)])) {
			return
		}
	}
	fmt.Println("not shown within a minute")
	os.Exit(1)
}
