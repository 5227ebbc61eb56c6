//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// start runs the command as a process of its own, until its first line.
func start(t *testing.T, args ...string) (cmd *exec.Cmd, stdout io.ReadCloser, rest *bufio.Reader, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "ROVER_TEST_MAIN=1", "GORACE=atexit_sleep_ms=0")
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rest = bufio.NewReader(stdout)
	if _, err := rest.ReadString('\n'); err != nil {
		t.Error(err)
	}
	return cmd, stdout, rest, stderr
}

// At a signal the command ends with its summary and exit code 0.
func TestSignals(t *testing.T) {
	for args, want := range map[string]string{
		"rove --server 127.0.0.1:1":   "kept to the end",
		"serve --listen 127.0.0.1:0":  "0 slots given, at most 0 at once",
		"demo --interval 10ms --json": `"event":"summary"`,
	} {
		for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
			cmd, _, rest, stderr := start(t, strings.Fields(args)...)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Error(err)
			}
			text, err := io.ReadAll(rest)
			if err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil || stderr.Len() > 0 || !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s, %v: %v, stderr %q, stdout %q", args, signal, err, stderr, text)
			}
		}
	}
}

// When the reader leaves, as head -1 does, the command ends without an error.
func TestClosedPipe(t *testing.T) {
	cmd, stdout, _, stderr := start(t, "demo", "--interval", "1ms")
	stdout.Close()
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v, stderr %q", err, stderr)
	}
}
