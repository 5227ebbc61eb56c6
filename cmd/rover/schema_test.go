package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/server"
)

// A schema has the fields of each event, by command.
type schema map[string]map[string][]string // event, command, fields

// readSchema reads the table of docs/command.md.
func readSchema(t *testing.T) schema {
	t.Helper()
	page, err := os.ReadFile("../../docs/command.md")
	if err != nil {
		t.Fatal(err)
	}
	s := make(schema)
	row := regexp.MustCompile("(?m)^\\| (`[a-z`, ]+`) \\| ([a-z, ]+)(?::[^|]*)? \\| `([a-z_? ]+)` \\|$")
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		for event := range strings.SplitSeq(strings.ReplaceAll(match[1], "`", ""), ", ") {
			if s[event] == nil {
				s[event] = make(map[string][]string)
			}
			for command := range strings.SplitSeq(match[2], ", ") {
				s[event][command] = strings.Fields(match[3])
			}
		}
	}
	if len(s) < 12 {
		t.Fatalf("found %d events in the page", len(s))
	}
	return s
}

// check fails the test if an object is not as the page says.
func (s schema) check(t *testing.T, command string, o map[string]any) {
	t.Helper()
	event, _ := o["event"].(string)
	fields, known := s[event][command]
	if !known {
		if fields, known = s[event]["all"]; !known {
			t.Errorf("the page has no event %q of %s", event, command)
			return
		}
	}
	for _, f := range fields {
		name, optional := strings.CutSuffix(f, "?")
		if _, there := o[name]; !there && !optional {
			t.Errorf("%s, %s: no field %s in %v", command, event, name, o)
		}
	}
	for name := range o {
		if name != "time" && name != "event" && !slices.Contains(fields, name) && !slices.Contains(fields, name+"?") {
			t.Errorf("%s, %s: the page has no field %s", command, event, name)
		}
	}
}

// The page says which fields each event has, no more and no less, and everything
// that is about a server has its id.
func TestSchema(t *testing.T) {
	s := readSchema(t)
	seen := make(map[string]bool)
	check := func(command string, lines []string) {
		t.Helper()
		for _, o := range objects(t, lines) {
			s.check(t, command, o)
			event, _ := o["event"].(string)
			seen[event] = true
		}
	}
	check("demo", call(t, has(`"connection"`, `"unreachable"`, `"error"`, `"balance"`, `"up"`), "demo", "--interval", "5ms", "--for", "4s", "--json"))

	var slotsOf server.Slots
	check("rove", call(t, has(`"connection"`, `"unreachable"`, `"error"`), append([]string{"rove", "--interval", "1ms", "--json"}, peers(t, &slotsOf)...)...))

	line, end := serving(t, "--json")
	var at address
	first := line()
	if err := json.Unmarshal([]byte(first), &at); err != nil {
		t.Fatal(err)
	}
	c, _ := dial(t, net.JoinHostPort(at.Host, strconv.Itoa(at.Port)))
	lines := []string{first, line()}
	c.Close()
	lines = append(lines, line())
	check("serve", append(lines, end()...))

	backend := newHost(listen(t), "hello")
	t.Cleanup(backend.close)
	front, stopFront := background(t, "front", "--listen", "127.0.0.1:0", "--backend", backend.Addr().String(), "--each", "--json", "--drain", "1s")
	proxy, stopProxy := background(t, "proxy", "--listen", "127.0.0.1:0", "--server", "a="+front, "--each", "--json", "--drain", "1s")
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
		t.Error(err)
	}
	c.Close()
	check("proxy", stopProxy())
	check("front", stopFront())
	for event := range s {
		if !seen[event] && event != "lost" && event != "trouble" && event != "notice" && event != "down" {
			t.Errorf("the page has an event %q, which was not seen", event)
		}
	}
	p := printer{json: true, out: new(bytes.Buffer)}
	p.logger().Warn("relay: front: words", "error", net.ErrClosed, "times", 3)
	var trouble map[string]any
	if err := json.Unmarshal(p.out.(*bytes.Buffer).Bytes(), &trouble); err != nil {
		t.Fatal(err)
	}
	s.check(t, "front", trouble)
	equal(t, "message", trouble["message"].(string), "words")
}

// background runs a service until stop, which returns its lines. at is where it
// listens.
func background(t *testing.T, args ...string) (at string, stop func() []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	lines := make(chan string, 1000)
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	out := script(make(chan string, 1000))
	go func() {
		ended <- run(ctx, append([]string{"rover"}, args...), out, &stderr)
		close(out)
	}()
	first, ok := <-out
	if !ok {
		cancel()
		t.Fatalf("exit code %d, stderr %q", <-ended, stderr.String())
	}
	go func() {
		defer close(lines)
		for line := range out {
			lines <- line
		}
	}()
	match := regexp.MustCompile(`"host":"([^"]*)","port":(\d+)|"path":"([^"]*)"|listening +(\S+)`).FindStringSubmatch(first)
	if match == nil {
		t.Fatalf("first line %q", first)
	}
	switch {
	case match[1] != "":
		at = net.JoinHostPort(match[1], match[2])
	case match[3] != "":
		at = match[3]
	default:
		at = match[4]
	}
	return at, func() []string {
		t.Helper()
		cancel()
		if code := <-ended; code != 0 || stderr.Len() > 0 {
			t.Errorf("%s: exit code %d, stderr %q", args[0], code, stderr.String())
		}
		all := []string{first}
		for line := range lines {
			all = append(all, line)
		}
		return all
	}
}

// Every flag that the pages name is one of the command's, and every command is named.
func TestPagesNameFlags(t *testing.T) {
	root := newRoot(io.Discard, io.Discard)
	flags := map[string]bool{"--version": true, "--help": true, "--now": true} // the last is of systemctl
	for _, c := range root.Commands {
		for _, name := range flagNames(c) {
			flags["--"+name] = true
		}
	}
	for _, page := range []string{"command.md", "relay.md"} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(string(text), -1) {
			if !flags[flag] {
				t.Errorf("%s: there is no flag %s", page, flag)
			}
		}
		if page == "command.md" {
			for _, c := range root.Commands {
				if c.Name != "help" && !strings.Contains(string(text), "`rover "+c.Name+"`") {
					t.Errorf("the page does not name rover %s", c.Name)
				}
			}
			for _, name := range slices.Concat(flagNames(frontCommand()), flagNames(proxyCommand())) {
				if !strings.Contains(string(text), "--"+name) && name != "dial-timeout" {
					t.Errorf("the page does not name --%s", name)
				}
			}
		}
	}
}
