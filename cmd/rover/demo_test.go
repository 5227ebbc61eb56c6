package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover"
)

// The output has all three streams and the balance, within the columns, for one
// server and for many.
func TestDemo(t *testing.T) {
	for _, servers := range []string{"1", "3", "12"} {
		lines := call(t, has("  connection   ", "  unreachable  nobody    connection refused\n",
			"  error        nonsense  answered \"Good day!\\r\\n\"\n", "  balance      a "),
			"demo", "--interval", "2ms", "--servers", servers)
		narrow(t, lines)
		text := strings.Join(lines, "\n")
		for _, want := range []string{
			"\nserver    address ", "\na         127.0.0.1:", "\nnobody    127.0.0.1:", "-  connection refused\n",
			"-  answered \"Good day!\\r\\n\"\n", " connections, ", " kept to the end; "} {
			if !strings.Contains(text, want) {
				t.Errorf("%s servers: no %q in\n%s", servers, want, text)
			}
		}
	}
}

func TestDemoJSON(t *testing.T) {
	events := objects(t, call(t, has(`"connection"`, `"unreachable"`, `"error"`, `"balance"`), "demo", "--interval", "2ms", "--json"))
	kept := 0.0
	for _, e := range events {
		switch e["event"] {
		case "balance":
			equal(t, "servers in balance", len(e["kept"].(map[string]any)), 3)
		case "summary":
			for _, s := range e["servers"].([]any) {
				kept += s.(map[string]any)["kept"].(float64)
			}
			equal(t, "kept", e["kept"].(float64), kept)
			equal(t, "servers in summary", len(e["servers"].([]any)), 5)
		}
	}
}

// A restart upsets the balance, which settles again.
func TestDemoRestart(t *testing.T) {
	const even = "  balance      a 6 ██████       b 6 ██████       c 6 ██████\n"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &output{seen: inTurn("  down         a ", "  up           a ", even), end: cancel}
	p := newPrinter(out, false, len("nonsense"), func(err error) { t.Error(err) })
	fleet, err := newFleet(3)
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.close()
	crowd, err := newCrowd(p, fleet.list(), 3, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.close()
	if err := crowd.start(); err != nil {
		t.Fatal(err)
	}
	direct(ctx, p, fleet, crowd, time.Millisecond, 2*settled*time.Millisecond)
	if ctx.Err() == context.DeadlineExceeded {
		t.Errorf("never seen in\n%s", strings.Join(out.lines(), "\n"))
	}
}

// A server whose port is taken comes back when the port is free.
func TestServerComesBackLate(t *testing.T) {
	fleet, err := newFleet(1)
	if err != nil {
		t.Fatal(err)
	}
	defer fleet.close()
	out := &output{seen: func(string) bool { return false }}
	p := newPrinter(out, false, 0, func(err error) { t.Error(err) })
	a := fleet.servers[0]
	a.down(p)
	other := &slotServer{}
	if err := other.listen(a.Addr()); err != nil {
		t.Fatal(err)
	}
	a.up(p)
	other.close()
	a.up(p)
	a.up(p)
	var names []string
	for _, line := range out.lines() {
		names = append(names, strings.Fields(line)[1])
	}
	equal(t, "events", strings.Join(names, " "), "down error up")
	c, line := dial(t, a.Addr())
	c.Close()
	equal(t, "slot line", line, "0\r\n")
}

func TestBalanceFits(t *testing.T) {
	for n := range 12 {
		f := &fleet{}
		kept := make(map[rover.Server]int)
		for i := range n + 1 {
			s := &slotServer{named: named{string(rune('a' + i)), rover.Server{Host: "h", Port: 1 + i}}}
			f.servers = append(f.servers, s)
			kept[s.Server] = 7 * i
		}
		out := &output{seen: func(string) bool { return false }}
		newPrinter(out, false, len("nonsense"), func(err error) { t.Error(err) }).print(f.balance(kept))
		narrow(t, out.lines())
	}
}
