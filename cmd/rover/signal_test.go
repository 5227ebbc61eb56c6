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
	"time"
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

		"front --listen 127.0.0.1:0 --backend 127.0.0.1:1": "0 clients served",
		"proxy --listen 127.0.0.1:0 --server 127.0.0.1:1":  "0 clients served",
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

// Nobody reads the output: a signal, and --for, end the command all the same.
func TestUnreadOutput(t *testing.T) {
	for _, args := range []string{"demo --interval 1ms --for 1s --json", "demo --interval 1ms --json", "rove --server 127.0.0.1:1 --interval 1ms --json"} {
		cmd, _, _, stderr := start(t, strings.Fields(args)...)
		if !strings.Contains(args, "--for") {
			<-time.After(300 * time.Millisecond) // until the pipe is full; it need not be
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			if err != nil || stderr.Len() > 0 {
				t.Errorf("%s: %v, stderr %q", args, err, stderr)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: does not end", args)
			cmd.Process.Kill()
			<-ended
		}
	}
}

// SIGTERM waits for a client that is busy; a second one does not, also when nobody
// reads the output.
func TestSecondSignal(t *testing.T) {
	backend := echo(t, "127.0.0.1:0")
	cmd, stdout, _, _ := start(t, "front", "--listen", "127.0.0.1:0", "--backend", backend, "--json")
	defer stdout.Close()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("nobody is served: %v", err)
	}

	l := listen(t)
	address := l.Addr().String()
	l.Close()
	cmd, stdout, _, _ = start(t, "front", "--listen", address, "--backend", backend, "--json", "--drain", "10m")
	defer stdout.Close()
	c, line := dial(t, address)
	defer c.Close()
	equal(t, "slot line", line, "0\r\n")
	stop := make(chan struct{})
	defer close(stop)
	go func() { // busy
		for {
			select {
			case <-stop:
				return
			default:
				c.Write(make([]byte, 1000))
				c.Read(make([]byte, 10_000))
			}
		}
	}()
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
		t.Error("the first signal does not wait for who is busy")
	case <-time.After(2 * time.Second):
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the second signal does not end it")
		cmd.Process.Kill()
		<-ended
	}
}
