package rover_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
)

var errOdd = errors.New("odd")

// A panic in what the user gave is told, and the roving goes on.
func TestPanicsAreTold(t *testing.T) {
	for in, option := range map[string]rover.Option{
		"dialer": rover.WithDialer(dialFunc(func(context.Context, string, string) (net.Conn, error) { panic(errOdd) })),
		"pick":   rover.WithPick(func(int) int { panic(errOdd) }),
		"logger": rover.WithLogger(slog.New(panicking{})),
	} {
		t.Run(in, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
				told := watch[error](s.Errors())
				start(t, s)
				time.Sleep(2500 * time.Millisecond)
				var panicked *rover.PanicError
				all := told.seen()
				if len(all) < 3 || !errors.As(all[0], &panicked) {
					t.Fatalf("told %v", all)
				}
				if panicked.In != in || !errors.Is(panicked, errOdd) || !strings.Contains(string(panicked.Stack), "panics_test.go") {
					t.Errorf("in %q: %v\n%s", panicked.In, panicked, panicked.Stack)
				}
				if panicked.Error() != "rover: panic in "+in+": odd" {
					t.Error(panicked)
				}
			}, option)
		})
	}
}

type panicking struct{}

func (panicking) Enabled(context.Context, slog.Level) bool  { panic(errOdd) }
func (panicking) Handle(context.Context, slog.Record) error { panic(errOdd) }
func (h panicking) WithAttrs([]slog.Attr) slog.Handler      { return h }
func (h panicking) WithGroup(string) slog.Handler           { return h }

func TestADialerThatReturnsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
		told := watch[*rover.UnreachableError](s.Unreachable())
		start(t, s)
		synctest.Wait()
		if all := told.seen(); len(all) != 1 || !strings.Contains(all[0].Error(), "neither connection nor error") {
			t.Error(all)
		}
	}, rover.WithDialer(dialFunc(func(context.Context, string, string) (net.Conn, error) { return nil, nil })))
}

// A panic in the body of a loop over Events is the caller's to recover, and
// the subscription is gone.
func TestAPanicInALoop(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
		start(t, s)
		time.Sleep(2500 * time.Millisecond)
		func() {
			defer func() { _ = recover() }()
			for c := range rover.Events[*rover.Connection](t.Context(), s.Connections()) {
				c.Decline()
				panic("in the loop")
			}
		}()
		synctest.Wait()
		// It declined one itself; the other two were in its queue.
		wantStats(t, s, rover.Stats{Attempts: 3, Connections: 3, Declined: 3})
	})
}

// A panic in a callback ends the process, as any goroutine's does: it is not
// hidden. Only another process can see that.
func TestAPanicInACallbackEndsTheProcess(t *testing.T) {
	if os.Getenv("ROVER_TEST_PANIC") != "" {
		s := rove(t, rover.WithDialer(&greeters{}))
		s.Connections().ForEach(func(any) { panic("in a callback") }, nil, func() {})
		start(t, s)
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAPanicInACallbackEndsTheProcess$")
	cmd.Env = append(os.Environ(), "ROVER_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !bytes.Contains(out, []byte("panic: in a callback")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// What is logged: an error nobody listens to at Warn, attempts at Debug, and
// nothing else.
func TestLogging(t *testing.T) {
	var out safeBuffer
	logger := func(level slog.Level) rover.Option {
		out.Reset()
		return rover.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level: level,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		})))
	}
	for name, test := range map[string]struct {
		level  slog.Level
		listen bool
		want   string
		opts   []rover.Option
	}{
		"a lonely error": {slog.LevelInfo, false, `level=WARN msg="rover: nobody took this error" error="rover: no servers to dial"` + "\n",
			[]rover.Option{rover.WithServers(nil)}},
		"an error that is heard": {slog.LevelInfo, true, "", []rover.Option{rover.WithServers(nil)}},
		"an attempt":             {slog.LevelInfo, false, "", nil},
		"an attempt, in debug": {slog.LevelDebug, false,
			`level=DEBUG msg="rover: attempt" id=a server=10.0.0.1:4040 outcome="slot 0"` + "\n", nil},
		"a failure, in debug": {slog.LevelDebug, false,
			`level=DEBUG msg="rover: attempt" id=a server=10.0.0.1:4040 outcome="rover: server \"a\" (10.0.0.1:4040) is unreachable: EOF"` + "\n",
			[]rover.Option{rover.WithDialer(dialFunc(func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }))}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *greeters) {
				if test.listen {
					watch[error](s.Errors())
				}
				start(t, s)
				synctest.Wait()
				s.Stop()
				if got := out.String(); got != test.want {
					t.Errorf("logged\n%swant\n%s", got, test.want)
				}
			}, append(test.opts, logger(test.level))...)
		})
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *safeBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}
