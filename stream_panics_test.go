package rover_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// A panic in what the user gave is reported, and the roving goes on.
func TestPanicsAreReported(t *testing.T) {
	for in, option := range map[string]rover.Option{
		"dialer": rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { panic(kit.ErrOdd) })),
		"pick":   rover.WithPick(func(int) int { panic(kit.ErrOdd) }),
		"logger": rover.WithLogger(slog.New(panicking{})),
	} {
		t.Run(in, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
				reported := kit.Watch[error](s.Errors())
				kit.Start(t, s)
				time.Sleep(2500 * time.Millisecond)
				var panicked *rover.PanicError
				all := reported.Seen()
				if len(all) < 3 || !errors.As(all[0], &panicked) {
					t.Fatalf("reported %v", all)
				}
				if panicked.In != in || !errors.Is(panicked, kit.ErrOdd) || !strings.Contains(string(panicked.Stack), "panics_test.go") {
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

func (panicking) Enabled(context.Context, slog.Level) bool  { panic(kit.ErrOdd) }
func (panicking) Handle(context.Context, slog.Record) error { panic(kit.ErrOdd) }
func (h panicking) WithAttrs([]slog.Attr) slog.Handler      { return h }
func (h panicking) WithGroup(string) slog.Handler           { return h }

// A panic in the body of a loop over Events is the caller's to recover, and
// the subscription is gone.
func TestAPanicInALoop(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		kit.Start(t, s)
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
		wantStats(t, s, rover.Stats{Attempts: 3, Connections: 3, Declined: 3, Left: 2})
	})
}

// A panic in a callback ends the process, as any goroutine's does: it is not
// hidden. Only another process can see that.
func TestAPanicInACallbackEndsTheProcess(t *testing.T) {
	if os.Getenv("ROVER_TEST_PANIC") != "" {
		s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}))
		s.Connections().ForEach(func(any) { panic("in a callback") }, nil, func() {})
		kit.Start(t, s)
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
