package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// small is a fleet that takes no time.
var small = []string{"simulate", "--clients", "20", "--servers", "4", "--max", "2", "--seeds", "3"}

func TestSimulate(t *testing.T) {
	lines := call(t, has("busiest  accepts"), append(small, "--event", "add=2", "--policy", "random")...)
	narrow(t, lines)
	text := strings.Join(lines, "\n") + "\n"
	inOrder(t, text, "20 clients × 2 connections, 4 servers: add=2, 3 seeds\n\n",
		"policy     settled ", "\nrove ", "\nreference  ", "30.0 % is the least")
	if strings.Contains(text, "needs") {
		t.Errorf("neither needs anything:\n%s", text)
	}
	text = strings.Join(call(t, has("busiest  accepts"), append(small, "--event", "cold", "--policy", "aperture", "--mixed", "--late", "1s",
		"--loss", "5%", "--slow-clients", "0.1", "--slow-servers", "0.1", "--idle", "4", "--interval", "100ms")...), "\n")
	inOrder(t, text, "20 clients × 2 connections, 4 servers: cold, 3 seeds\n", "\nrove ", "\naperture ", "\naperture needs a number for each client, without holes, and the number of clients.")
}

// The same seeds have the same result; a policy that is the first one is shown
// once.
func TestSimulateJSON(t *testing.T) {
	args := append(small, "--event", "kill", "--json", "--policy")
	lines := call(t, has(`"rove"`), append(args, "rove")...)
	equal(t, "lines", len(lines), 1)
	both := call(t, has(`"subset"`), append(args, "subset")...)
	equal(t, "lines", len(both), 2)
	equal(t, "the same", both[0], lines[0])
	var r struct {
		Event, Policy string
		Seeds         int
		Settled       struct{ Median float64 }
	}
	if err := json.Unmarshal([]byte(lines[0]), &r); err != nil {
		t.Fatal(err)
	}
	equal(t, "event", r.Event, "kill=20%")
	equal(t, "seeds", r.Seeds, 3)
	equal(t, "settled", r.Settled.Median > 0, true)
}

func TestSimulatePlot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.svg")
	call(t, has("busiest  accepts"), append(small, "--plot", file)...)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var picture struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		Title   string   `xml:"title"`
	}
	if err := xml.NewDecoder(f).Decode(&picture); err != nil {
		t.Fatal(err)
	}
	equal(t, "title", picture.Title, "20 clients × 2 connections, 4 servers: add=20%")

	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"rover"}, append(small, "--plot", "/nowhere/out.svg")...), &stdout, &stderr)
	if code != 1 || stdout.Len() > 0 || stderr.String() != "rover: --plot: open /nowhere/out.svg: no such file or directory\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

// Wrong shapes and events are exit code 2, and say what would be right.
func TestSimulateWrongFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--event fly":                      `--event "fly": event must be one of add, cold, drain, `,
		"--event add=x":                    `--event "add=x": event add must have a number of servers above 0, such as add=3 or add=20%`,
		"--event kill=100":                 "event kill must be of at most 99 servers in a fleet of 1000x100x4, got 100",
		"--policy fly":                     `--policy "fly": policy must be one of rove, reference, `,
		"--clients 0":                      "want a whole number from 1 to 100000",
		"--servers many":                   "want a whole number from 1 to 10000",
		"--clients 100000 --servers 10000": "clients × servers must be at most 50000000, got 100000 × 10000",
		"--rtt 0s":                         "want a duration above 0, such as 200ms",
		"--rtt 1m":                         "rtt must be from 0 to 10, got 60",
		"--loss 2":                         "want a share from 0 to 1, such as 0.05 or 5%",
		"--loss 101%":                      "want a share from 0 to 1",
		"--drift x":                        "want a share from 0 to 1",
		"--late 2000s":                     "late must be from 0 to 1000, got 2000",
		"now":                              `simulate takes flags only, got "now"; see "rover simulate --help"`,
		"--seeds":                          "needs an argument: --seeds",
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"rover", "simulate"}, strings.Fields(args)...), &stdout, &stderr)
		text := stderr.String()
		if code != 2 || stdout.Len() > 0 || !strings.Contains(text, want) || !strings.HasPrefix(text, "rover: ") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q, want one line with %q", args, code, stdout.String(), text, want)
		}
	}
}

func TestSimulateHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	equal(t, "exit code", run(t.Context(), []string{"rover", "simulate", "--help"}, &stdout, &stderr), 0)
	inOrder(t, stdout.String(), "NAME:", "add=20%", "restart=5", "rocksteadier", "--event NAME[=N]", "(default: 10ms)", "(default: 1%)")
}

// A signal ends it without a word.
func TestSimulateEnds(t *testing.T) {
	out := &output{seen: func(string) bool { return true }}
	var stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	equal(t, "exit code", run(ctx, []string{"rover", "simulate", "--clients", "10000", "--seeds", "10000"}, out, &stderr), 0)
	equal(t, "stderr", stderr.String(), "")
	equal(t, "stdout", strings.Join(out.lines(), ""), "")
}

func TestSimulateCannotWrite(t *testing.T) {
	var stderr strings.Builder
	equal(t, "exit code", run(t.Context(), append([]string{"rover"}, small...), &broken{err: fmt.Errorf("full")}, &stderr), 1)
	equal(t, "stderr", stderr.String(), "rover: writing the output: full\n")
}

// Progress shows after a second, on a terminal, and leaves nothing behind.
func TestProgress(t *testing.T) {
	var out strings.Builder
	now := time.Time{}
	p := &progress{out: &out, now: func() time.Time { return now }, begun: now, all: 50}
	p.show(1)
	p.clear()
	equal(t, "at first", out.String(), "")
	now = now.Add(time.Second)
	p.show(1)
	p.show(2)
	p.clear()
	equal(t, "later", out.String(), "\r1 run of 50\r2 runs of 50\r\x1b[K")

	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for out, want := range map[io.Writer]bool{null: true, &out: false} {
		equal(t, "shows", newProgress(out, time.Now, 1).out != nil, want)
	}
	p = newProgress(&out, func() time.Time { now = now.Add(time.Hour); return now }, 1)
	p.show(1)
	p.clear()
	equal(t, "no terminal", strings.Count(out.String(), "run"), 2)
}

// The page shows what the command prints, on the processors that round as the
// one that made it.
func TestDocsShowSimulate(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("rounds in another way, perhaps")
	}
	page, err := os.ReadFile("../../docs/roaming.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\nrover simulate --clients 300 ")
	args, rest, ends := strings.Cut(rest, " --plot out.svg\n")
	if !found || !ends {
		t.Fatal("the page shows no such command")
	}
	lines := call(t, has("busiest  accepts"), strings.Fields("simulate --clients 300 "+args)...)
	for _, line := range lines[:6] {
		if line != "" && !strings.Contains(rest, "\n    "+line+"\n") {
			t.Errorf("the page does not show %q", line)
		}
	}
}
