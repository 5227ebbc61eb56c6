package kit

import (
	"testing"
	"time"
)

// Within waits until ok is true, and ends the test if that takes too long: for
// what happens in its own time, outside a synctest bubble.
func Within(t testing.TB, what string, in time.Duration, ok func() bool) {
	t.Helper()
	late := time.After(in)
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("not within %v: %s", in, what)
		}
	}
}
