//go:build !plan9

package faulty_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/callosum-go/rover/internal/lab/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTCP plays each case that a client alone can see over real TCP, to a plain client.
func TestTCP(t *testing.T) {
	for _, c := range faulty.Cases() {
		if c.Owner != faulty.Roves || c.Virtual {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			patience := 20 * time.Second
			if c.Want[0].Timeout {
				patience = 100 * time.Millisecond
			}
			s, err := faulty.TCP(c, "127.0.0.1", patience)
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			check(t, c, s, patience)
			if !c.Watches() {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := s.Quiet(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPipe does the same over pipes, where times are exact.
func TestPipe(t *testing.T) {
	for _, c := range faulty.Cases() {
		if c.Owner != faulty.Roves {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const patience = 8 * time.Second
				s := faulty.Pipe(c, patience)
				defer s.Close()
				check(t, c, s, patience)
			})
		})
	}
}

// TestCloseEndsAll closes servers in the middle of every script: a bubble ends only when all its
// goroutines have.
func TestCloseEndsAll(t *testing.T) {
	for _, c := range faulty.Cases() {
		synctest.Test(t, func(t *testing.T) {
			s := faulty.Pipe(c, time.Second)
			if c.Way.Straight() && c.Door == faulty.Accepts {
				for range 3 {
					conn, err := s.Dialer().DialContext(t.Context(), "tcp", "ignored:1")
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
				}
			}
			synctest.Wait()
			s.Close()
			s.Close()
			if n := s.Open(); n != 0 {
				t.Errorf("%s: %d connections open after Close", c.Name, n)
			}
		})
	}
}

func TestTableIsSound(t *testing.T) {
	names := make(map[string]bool)
	groups := make(map[faulty.Group]int)
	for _, c := range faulty.Cases() {
		if names[c.Name] {
			t.Errorf("two cases are named %q", c.Name)
		}
		names[c.Name] = true
		groups[c.Group]++
		if len(c.Want) == 0 || c.Does() == "" {
			t.Errorf("%s: wants %v, does %q", c.Name, c.Want, c.Does())
		}
	}
	sum := 0
	for _, group := range faulty.Groups() {
		if groups[group] == 0 {
			t.Errorf("no case in group %q", group)
		}
		sum += groups[group]
	}
	if sum != len(names) {
		t.Errorf("%d of %d cases are in a group of the page", sum, len(names))
	}
}

// TestPageIsCurrent fails when docs/faults.md is not what the cases say, where an int
// has the 64 bits that the page has: the largest slot is one of the cases.
func TestPageIsCurrent(t *testing.T) {
	if strconv.IntSize != 64 {
		t.Skipf("the page is of 64 bits, an int has %d here", strconv.IntSize)
	}
	const file = "../../../docs/faults.md"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != faulty.Page() {
		t.Errorf("%s is out of date: go generate ./internal/lab/faulty", file)
	}
	if rows := strings.Count(string(got), "\n| ") - 2*len(faulty.Groups()); rows != len(faulty.Cases()) {
		t.Errorf("the page has %d rows for %d cases", rows, len(faulty.Cases()))
	}
}
