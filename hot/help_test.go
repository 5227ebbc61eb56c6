package hot_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/callosum-go/rover/hot"
	"github.com/google/go-cmp/cmp"
	"github.com/reactivex/rxgo/v2"
)

// publish publishes first, first+1, … last.
func publish(s *hot.Subject, first, last int) {
	for i := first; i <= last; i++ {
		s.Publish(i)
	}
}

// numbers are the values first, first+1, … last.
func numbers(first, last int) (all []any) {
	for i := first; i <= last; i++ {
		all = append(all, i)
	}
	return all
}

// drain reads values and errors until the channel is closed.
func drain(ch <-chan rxgo.Item) (all []any) {
	for item := range ch {
		all = append(all, content(item))
	}
	return all
}

// read reads n values and errors, or fewer if the channel is closed.
func read(ch <-chan rxgo.Item, n int) (all []any) {
	for range n {
		item, ok := <-ch
		if !ok {
			return all
		}
		all = append(all, content(item))
	}
	return all
}

func content(item rxgo.Item) any {
	if item.Error() {
		return item.E.Error()
	}
	return item.V
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("wrong (-want +got):\n%s", diff)
	}
}

// goroutines counts those of this bubble that run a function of RxGo or hot.
func goroutines() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	all := strings.Split(string(stacks), "\n\n") // our own is the first
	_, bubble, _ := strings.Cut(all[0], "synctest bubble ")
	bubble, _, _ = strings.Cut(bubble, "]")
	for _, stack := range all {
		if strings.Contains(stack, "synctest bubble "+bubble+"]") &&
			(strings.Contains(stack, "reactivex/rxgo/v2.") || strings.Contains(stack, "rover/hot.")) {
			n++
		}
	}
	return n
}

func all(any) bool { return true }

func same(_ context.Context, v any) (any, error) { return v, nil }

func sum(_ context.Context, acc, v any) (any, error) {
	if acc == nil {
		return v, nil
	}
	return acc.(int) + v.(int), nil
}

// just emits the item itself, as a value or an error.
func just(item rxgo.Item) rxgo.Observable {
	if item.Error() {
		return rxgo.Thrown(item.E)
	}
	return rxgo.Just(item.V)()
}
