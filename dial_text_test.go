package rover_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// All that a rover emits is JSON that a person can read, its cause too.
func TestJSON(t *testing.T) {
	cause := &net.OpError{Op: "dial", Net: "tcp", Err: kit.ErrOdd}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, v := range map[string]any{
		`{"id":"a","server":"10.0.0.1:4040","addr":"10.0.0.9:1","error":"dial tcp: odd","took":"1.5ms"}`: &rover.UnreachableError{ID: "a", Server: kit.A, Err: cause, Addr: "10.0.0.9:1", Took: 1500 * time.Microsecond},
		`{"id":"a","server":"10.0.0.1:4040","error":"dial tcp: odd","took":"1s"}`:                        &rover.LocalError{ID: "a", Server: kit.A, Err: cause, Took: time.Second},
		`{"id":"a","server":"10.0.0.1:4040","addr":"x","line":"no","error":"not a slot line: byte 1","took":"0s"}`: &rover.ProtocolError{
			ID: "a", Server: kit.A, Line: []byte("no"), Err: fmt.Errorf("%w: byte 1", rover.ErrProtocol), Addr: "x"},
		`{"tick":"3","id":"a","server":"10.0.0.1:4040","addr":"x","slot":0,"begun":"2026-01-02T03:04:05Z","took":"2s"}`:          rover.Outcome{Tick: 3, ID: "a", Server: kit.A, Addr: "x", Begun: at, Took: 2 * time.Second},
		`{"tick":"to \"b\"","id":"","server":"","error":"rover: no servers to dial","begun":"2026-01-02T03:04:05Z","took":"0s"}`: rover.Outcome{Tick: rover.To("b"), Err: rover.ErrNoServers, Begun: at},
		`{"added":{"a":"10.0.0.1:4040"},"dropped":{},"at":"2026-01-02T03:04:05Z"}`:                                               rover.SetChange{Added: kit.One, Dropped: map[string]rover.Server{}, At: at},
		`{"10.0.0.1:4040":1}`: map[rover.Server]int{kit.A: 1},
		`[{"id":"a","server":"10.0.0.1:4040","error":"odd","took":"0s"}]`: []error{&rover.UnreachableError{ID: "a", Server: kit.A, Err: kit.ErrOdd}},
	} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%T is\n%s, want\n%s (%v)", v, got, want, err)
		}
	}
}

// A Server is "host:port" wherever text is: the same again when it is read.
func TestAServerAsText(t *testing.T) {
	for _, server := range []rover.Server{kit.A, {Host: "::1", Port: 1}, {Host: "fe80::1%eth0", Port: 65535}, {Host: "a.example", Port: 80}} {
		var again rover.Server
		text, err := server.MarshalText()
		kit.Check(t, err)
		kit.Check(t, again.UnmarshalText(text))
		kit.Equal(t, "text", string(text), server.Addr())
		kit.Equal(t, "read again", again, server)
		var keys map[rover.Server]int
		kit.Check(t, json.Unmarshal(kit.Must(json.Marshal(map[rover.Server]int{server: 7}))(t), &keys))
		kit.Equal(t, "as a key", keys[server], 7)
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(discard{})
	var server rover.Server
	flags.TextVar(&server, "server", kit.B, "")
	kit.Equal(t, "a flag's default", server, kit.B)
	kit.Check(t, flags.Parse([]string{"-server", "10.0.0.1:4040"}))
	kit.Equal(t, "a flag's value", server, kit.A)
	if err := flags.Parse([]string{"-server", "10.0.0.1"}); err == nil {
		t.Error("a flag without a port is taken")
	}
	for text, want := range map[string]string{
		"a":       `rover: server "a" must be host:port`,
		"":        `rover: server "" must be host:port`,
		"a:b":     `rover: server "a:b": port must be a number from 1 to 65535`,
		"a:0":     `rover: server "a:0": port 0 is out of range 1-65535`,
		"a:65536": `rover: server "a:65536": port 65536 is out of range 1-65535`,
		":1":      `rover: server ":1": host is empty`,
		"a b:1":   `rover: server "a b:1": host "a b" must be a plain name or address, without port, path, brackets or spaces`,
	} {
		read := kit.A
		if err := read.UnmarshalText([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
		kit.Equal(t, "after an error", read, kit.A)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// Errors name id, server and cause, and are found by errors.Is.
func TestErrorsSayWhatAndWhy(t *testing.T) {
	local := &rover.LocalError{ID: "a", Server: kit.A, Err: kit.ErrOdd}
	if !errors.Is(local, rover.ErrResources) || !errors.Is(local, kit.ErrOdd) {
		t.Error("a LocalError hides what it wraps")
	}
	for want, err := range map[string]error{
		`rover: attempt at server "a" (10.0.0.1:4040) failed on this side: odd`: local,
		`rover: server "a" (10.0.0.1:4040) is unreachable: odd`:                 &rover.UnreachableError{ID: "a", Server: kit.A, Err: kit.ErrOdd},
		`rover: server "a" (10.0.0.1:4040) answered "x": not a slot line`:       &rover.ProtocolError{ID: "a", Server: kit.A, Line: []byte("x"), Err: rover.ErrProtocol},
	} {
		kit.Equal(t, "error", err.Error(), want)
	}
}
