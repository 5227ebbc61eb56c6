package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("ROVER_TEST_MAIN") != "" { // we are the subprocess of a test
		main()
	}
	goleak.VerifyTestMain(m)
}

// An output collects what is written. It calls seen at each line, and ends a
// context once seen is true.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen func(text string) bool
	end  context.CancelFunc
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	if o.seen(o.text.String()) {
		o.end()
	}
	return len(b), nil
}

func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Split(strings.TrimSuffix(o.text.String(), "\n"), "\n")
}

// call runs a command until seen is true of its output. It checks that the exit
// code is 0 and that stderr is empty.
func call(t *testing.T, seen func(text string) bool, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stderr bytes.Buffer
	out := &output{seen: seen, end: cancel}
	if code := run(ctx, append([]string{"rover"}, args...), out, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
	if ctx.Err() == context.DeadlineExceeded {
		t.Errorf("never seen in\n%s", strings.Join(out.lines(), "\n"))
	}
	return out.lines()
}

// has is true for a text that has all the words.
func has(words ...string) func(string) bool {
	return func(text string) bool {
		for _, word := range words {
			if !strings.Contains(text, word) {
				return false
			}
		}
		return true
	}
}

// inTurn is true for a text that has all the words in this order.
func inTurn(words ...string) func(string) bool {
	behind := 0
	return func(text string) bool {
		for len(words) > 0 {
			at := strings.Index(text[behind:], words[0])
			if at < 0 {
				return false
			}
			behind += at + len(words[0])
			words = words[1:]
		}
		return true
	}
}

// objects reads lines of JSON, each of which must be one object, in order of
// time, and the last one a summary.
func objects(t *testing.T, lines []string) []map[string]any {
	t.Helper()
	var all []map[string]any
	last := time.Time{}
	for _, line := range lines {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in line %q", err, line)
		}
		text, _ := o["time"].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || at.Before(last) {
			t.Errorf("time %q after %v, %v", text, last, err)
		}
		last = at
		all = append(all, o)
	}
	if name := all[len(all)-1]["event"]; name != "summary" {
		t.Errorf("the last event is %q, want summary", name)
	}
	return all
}

// narrow fails the test if a line is wider than 80 columns or ends in spaces.
func narrow(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > columns || strings.TrimRight(line, " ") != line {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
