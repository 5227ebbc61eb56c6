package main

import (
	"net"
	"strings"
	"testing"

	"github.com/callosum-go/rover/server"
)

// slots is a slot server on loopback for a test's time.
func slots(t *testing.T, s *server.Slots, address string) *host {
	t.Helper()
	l, err := server.Listen("tcp", address, server.WithSlots(s))
	if err != nil {
		t.Skip(err) // no IPv6 here
	}
	h := newHost(l, "")
	t.Cleanup(h.close)
	return h
}

// peers are flags for a slot server, an address without a listener, and a server
// that talks nonsense.
func peers(t *testing.T, s *server.Slots) []string {
	t.Helper()
	good := slots(t, s, "127.0.0.1:0")
	bad := newHost(listen(t), "\x1b]nonsense\n")
	t.Cleanup(bad.close)
	held, err := net.Dial("tcp", bad.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return []string{"--server", "good=" + good.Addr().String(),
		"--server", "bad=" + bad.Addr().String(), "--server", "none=" + held.LocalAddr().String()}
}

func TestRove(t *testing.T) {
	var s server.Slots
	lines := call(t, has("slot 0    kept", "slot 1    kept", "slot 2    declined", "unreachable", "error"),
		append([]string{"rove", "--interval", "1ms", "--keep-below", "2"}, peers(t, &s)...)...)
	narrow(t, lines)
	for _, line := range lines {
		if strings.Contains(line, "  error  ") && !strings.HasSuffix(line, `  error        bad   answered "\x1b]nonsense\n"`) ||
			strings.Contains(line, "  unreachable  ") && !strings.HasSuffix(line, "  unreachable  none  connection refused") {
			t.Errorf("got %q", line)
		}
	}
	text := strings.Join(lines[len(lines)-6:], "\n")
	for _, want := range []string{"server  address", "good    127.0.0.1:", "-  connection refused", "  2  ████████████████████████\n", ", 2 kept to the end; "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestRoveJSON(t *testing.T) {
	var s server.Slots
	lines := call(t, has(`"event":"connection"`, `"event":"unreachable"`, `"event":"error"`),
		append([]string{"rove", "--interval", "1ms", "--json"}, peers(t, &s)...)...)
	for _, line := range lines { // fields in this order
		_, rest, _ := strings.Cut(line, `","event":"`)
		switch name, rest, _ := strings.Cut(rest, `",`); name {
		case "connection":
			inOrder(t, rest, `"id":"good","host":"127.0.0.1","port":`, `,"slot":`, `,"kept":false,"verdict":"declined","took_ms":`)
		case "unreachable":
			inOrder(t, rest, `"id":"none","host":"127.0.0.1","port":`, `,"cause":"connection refused","error":"dial tcp 127.0.0.1:`, "refused", `"took_ms":`)
		case "error":
			inOrder(t, rest, `"id":"bad","host":"127.0.0.1","port":`, `"cause":"answered`, `"error":"rover: server \"bad\" (127.0.0.1:`, `not a slot line`, `"took_ms":`)
		}
	}
	events := objects(t, lines)
	summary := events[len(events)-1]
	sum := summary["connections"].(float64) + summary["unreachable"].(float64) + summary["errors"].(float64)
	equal(t, "events emitted", int(sum), len(events)-1-3) // one more for each server
	equal(t, "servers", len(summary["servers"].([]any)), 3)
	equal(t, "kept", summary["kept"].(float64), 0)
}

// inOrder checks that line begins with the first part, and then has the others.
func inOrder(t *testing.T, line string, parts ...string) {
	t.Helper()
	if !strings.HasPrefix(line, parts[0]) {
		t.Errorf("%q does not begin with %q", line, parts[0])
	}
	for rest := line; len(parts) > 0; parts = parts[1:] {
		_, after, ok := strings.Cut(rest, parts[0])
		if !ok {
			t.Errorf("no %q in its place in %q", parts[0], line)
		}
		rest = after
	}
}

// An id defaults to the address, and then the summary has no other column for it.
func TestRoveIPv6(t *testing.T) {
	var s server.Slots
	address := slots(t, &s, "[::1]:0").Addr().String()
	lines := call(t, has("declined"), "rove", "--server", address)
	inOrder(t, lines[0], lines[0][:len("15:04:05.000")], "  connection   "+address+"  slot 0    declined")
	equal(t, "header", strings.Join(strings.Fields(lines[2]), " "), "server attempts slots seen kept")
}

// Kept connections stay open until the end, and are closed then.
func TestRoveKeepsUntilTheEnd(t *testing.T) {
	var s server.Slots
	h := slots(t, &s, "127.0.0.1:0")
	most := 0
	call(t, func(text string) bool {
		most = max(most, s.InUse())
		return strings.Count(text, "kept") >= 3 && strings.Contains(text, "declined")
	}, "rove", "--interval", "1ms", "--keep-below", "3", "--server", h.Addr().String())
	if most < 3 {
		t.Errorf("%d slots in use at most, want 3 or more", most)
	}
	h.close()
	equal(t, "in use at the end", s.InUse(), 0)
}

func TestRoveEndsWithoutATick(t *testing.T) {
	lines := call(t, func(string) bool { return false }, "rove", "--for", "1ms", "--interval", "1h", "--server", "127.0.0.1:1")
	narrow(t, lines)
}
