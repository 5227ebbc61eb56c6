package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
)

func TestColour(t *testing.T) {
	var out strings.Builder
	p := newPrinter(&out, false, 1, nil)
	p.print(event{name: "error", colour: red, id: "a", detail: "b"})
	equal(t, "not on a terminal", strings.Contains(out.String(), "\x1b"), false)
	out.Reset()
	p.coloured = true
	p.print(event{name: "error", colour: red, id: "a", detail: "b"})
	p.print(event{name: "connection", id: "a", detail: "b"})
	lines := strings.Split(out.String(), "\n")
	inOrder(t, lines[0], "\x1b[90m", "\x1b[0m  \x1b[31merror        a  b\x1b[0m")
	inOrder(t, lines[1], "\x1b[90m", "\x1b[0m  connection   a  b")
}

// A terminal is a character device, as is the null device.
func TestColourIsForTerminals(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		out           io.Writer
		noColor, term string
		want          bool
	}{
		{null, "", "xterm", true},
		{null, "1", "xterm", false},
		{null, "", "dumb", false},
		{file, "", "xterm", false},
		{io.Discard, "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		equal(t, fmt.Sprintf("%T, NO_COLOR=%s TERM=%s", c.out, c.noColor, c.term), newPrinter(c.out, false, 0, nil).coloured, c.want)
		equal(t, "JSON", newPrinter(c.out, true, 0, nil).coloured, false)
	}
}

// What is too long for a line is cut, in text only.
func TestLongErrors(t *testing.T) {
	long := strings.Repeat("é", 100)
	for json, want := range map[bool]string{false: strings.Repeat("é", 52) + "…\n", true: `"error":"` + long + "\"}\n"} {
		var out strings.Builder
		newPrinter(&out, json, 8, nil).print(errorEvent(errors.New(long)))
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("JSON %v: %q", json, out.String())
		}
	}
}

// The first write that fails is the last, and is reported.
func TestFailedWrites(t *testing.T) {
	for cause, code := range map[error]int{syscall.EPIPE: 0, syscall.ENOSPC: 1} {
		var stderr strings.Builder
		out := &broken{err: cause}
		equal(t, cause.Error(), run(t.Context(), []string{"rover", "demo", "--interval", "1ms"}, out, &stderr), code)
		equal(t, "writes", out.writes, 1)
		if reported := strings.Contains(stderr.String(), "rover: writing the output: "); reported != (code == 1) {
			t.Errorf("%v: stderr %q", cause, stderr.String())
		}
	}
}

type broken struct {
	err    error
	writes int
}

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, b.err
}

func TestReason(t *testing.T) {
	for want, err := range map[string]error{
		"connection refused":    &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"timed out":             &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded},
		"no such host":          &net.DNSError{Err: "no such host", Name: "h"},
		"ended before its line": io.ErrUnexpectedEOF,
		"something else":        errors.New("something\nelse"),
	} {
		equal(t, "reason", reason(&rover.UnreachableError{ID: "a", Err: err}), want)
	}
	equal(t, "reason", reason(rover.ErrNoServers), "no servers to dial")
	equal(t, "reason", reason(&rover.ProtocolError{Line: []byte("\x1b[1m\n")}), `answered "\x1b[1m\n"`)
	equal(t, "reason", reason(&rover.LocalError{ID: "a", Err: os.NewSyscallError("socket", syscall.EMFILE)}), "too many open files")
	equal(t, "reason", reason(&rover.LocalError{ID: "a", Err: errors.New("something else")}), "something else")
}

// An error that is about an attempt has the server's id.
func TestErrorsNameTheirServer(t *testing.T) {
	for _, err := range []error{&rover.ProtocolError{ID: "a", Err: rover.ErrProtocol}, &rover.LocalError{ID: "a", Err: syscall.EMFILE}} {
		equal(t, "id", errorEvent(err).id, "a")
	}
	equal(t, "id", errorEvent(rover.ErrBusy).id, "")
}

func TestTable(t *testing.T) {
	got := align([][]string{{"id", "", "n", "bar"}, {"é", "", "10", "█"}, {"long", "", "9", ""}}, 2)
	equal(t, "table", got, "id     n  bar\né     10  █\nlong   9\n")
}

func TestBar(t *testing.T) {
	for n, want := range []string{"", "▎", "▌", "▊", "█", "█▎"} {
		equal(t, fmt.Sprint("bar of ", n), bar(n, 8, 2), want)
	}
	equal(t, "bar of little", bar(1, 1000, 4), "▏")
	equal(t, "bar of nothing", bar(0, 0, 4), "")
	equal(t, "bar without room", bar(3, 8, 0), "")
}

func TestSpark(t *testing.T) {
	for n, want := range []string{"", "▂", "▄", "▆", "█", "█"} {
		equal(t, fmt.Sprint("spark of ", n), spark(n, 4), want)
	}
}

func TestBrief(t *testing.T) {
	for in, want := range map[time.Duration]string{
		123 * time.Nanosecond: "123ns", 12345 * time.Nanosecond: "12.3µs", 1234567 * time.Nanosecond: "1.23ms",
		1234567 * time.Microsecond: "1.23s", 123456 * time.Millisecond: "2m3.5s",
	} {
		equal(t, "brief", brief(in).String(), want)
	}
}
