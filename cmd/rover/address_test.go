package main

import (
	"strings"
	"testing"

	"github.com/callosum-go/rover"
)

func TestParseServer(t *testing.T) {
	for in, want := range map[string]named{
		"127.0.0.1:4040":         {"127.0.0.1:4040", rover.Server{Host: "127.0.0.1", Port: 4040}},
		"a=127.0.0.1:4040":       {"a", rover.Server{Host: "127.0.0.1", Port: 4040}},
		"a=[::1]:4040":           {"a", rover.Server{Host: "::1", Port: 4040}},
		"[fe80::1%eth0]:1":       {"[fe80::1%eth0]:1", rover.Server{Host: "fe80::1%eth0", Port: 1}},
		"k=v=example.com:65535":  {"k=v", rover.Server{Host: "example.com", Port: 65535}},
		"zürich=zürich.test:080": {"zürich", rover.Server{Host: "zürich.test", Port: 80}},
	} {
		if got, err := parseServer(in); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
}

func TestParseServerSaysWhatWouldBeRight(t *testing.T) {
	for in, want := range map[string]string{
		"":              "want HOST:PORT",
		"a":             "missing port in address, want HOST:PORT, such as",
		"a=":            "want HOST:PORT",
		"a=b":           "missing port in address",
		":4040":         "the host is empty, want [ID=]HOST:PORT",
		"a=:4040":       "the host is empty",
		"=h:1":          "the id is empty, want ID=h:1 or h:1 alone",
		"a b=h:1":       `the id "a b" must be of printable characters, without spaces`,
		"a\x1b[1m=h:1":  "the id",
		"h h:1":         `the host "h h" must be a name`,
		"h\n:1":         "the host",
		"h:0":           `the port must be a number from 1 to 65535, got "0"`,
		"h:65536":       "from 1 to 65535",
		"h:http":        `got "http"`,
		"h:":            `got ""`,
		"::1":           "goes in brackets, with a port: [::1]:4040",
		"a=fe80::1%e":   "[fe80::1%e]:4040",
		"::1:4040":      "goes in brackets",
		"[localhost]:1": `brackets are for an IPv6 address, got "localhost" in them`,
		"[127.0.0.1]:1": "brackets are for an IPv6 address",
		"[::1:1":        "missing ']' in address",
		"[[::1]]:1":     "want HOST:PORT",
	} {
		if got, err := parseServer(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want an error with %q", in, got, err, want)
		}
	}
}

func TestServerListRefusesDoubles(t *testing.T) {
	for in, want := range map[string]string{
		"a=h:1 a=h:2": `the id "a" is given twice, want another one`,
		"a=h:1 b=h:1": "the server h:1 is given twice",
		"h:1 h:1":     "given twice",
	} {
		var l serverList
		var err error
		for _, s := range strings.Fields(in) {
			err = l.add(s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", in, err, want)
		}
	}
}

// What is parsed is a server that a rover takes. Its text parses to the same
// server, and fits in one line of output.
func FuzzParseServer(f *testing.F) {
	for _, seed := range []string{"a=127.0.0.1:4040", "[::1]:1", "=:", "a=[fe80::1%e]:65535", "b=é:9", "::1", "[x]:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseServer(s)
		if err != nil {
			return
		}
		if again, err := parseServer(n.String()); err != nil || again != n {
			t.Errorf("%q is %+v, which again is %+v, %v", s, n, again, err)
		}
		if _, err := rover.New(rover.WithServers(serverList{n}.set())); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if strings.ContainsFunc(n.String(), unprintable) {
			t.Errorf("%q has unprintable characters: %+v", s, n)
		}
	})
}
