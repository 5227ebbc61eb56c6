package rover_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// What is nil in whatever disguise is an error of New that names it.
func TestNilIsAnError(t *testing.T) {
	var dialer *net.Dialer
	var function kit.DialFunc
	var observable *rxgo.ObservableImpl
	for want, opt := range map[string]rover.Option{
		"rover: option 1 of 1 is nil":        nil,
		"rover: dialer must not be nil":      rover.WithDialer(dialer),
		"rover: dialer must not be nil ":     rover.WithDialer(function),
		"rover: dialer must not be nil  ":    rover.WithDialer(nil),
		"rover: ticks must not be nil":       rover.WithTicks(observable),
		"rover: server sets must not be nil": rover.WithServerSets(observable),
		"rover: logger must not be nil":      rover.WithLogger(nil),
		"rover: pick must not be nil":        rover.WithPick(nil),
	} {
		if _, err := rover.New(opt); err == nil || err.Error() != strings.TrimSpace(want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := rover.New(rover.WithDialer(refusing{})); err != nil {
		t.Error(err) // no pointer: it cannot be nil
	}
}

// refusing is a dialer without a pointer.
type refusing struct{}

func (refusing) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, syscall.ECONNREFUSED
}

// Who ends a goroutine of ours, as t.FailNow does, ends no more than what it
// was called for: that is on Errors, counted, and the roving goes on.
func TestGoexitEndsOneCall(t *testing.T) {
	once := func(n int) bool { return n == 2 } // the second call
	picks, dials := 0, 0
	var lines atomic.Int64
	for in, test := range map[string]struct {
		opt  rover.Option
		want rover.Stats
	}{
		"pick": {rover.WithPick(func(int) int {
			if picks++; once(picks) {
				runtime.Goexit()
			}
			return 0
		}), rover.Stats{Ticks: 5, BadPicks: 1, Attempts: 4, Unreachable: 4}},
		"dialer": {rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) {
			if dials++; once(dials) {
				runtime.Goexit()
			}
			return nil, syscall.ECONNREFUSED
		})), rover.Stats{Ticks: 5, Attempts: 5, Unreachable: 4, Failures: 1}},
		"logger": {rover.WithLogger(slog.New(exiting{&lines})),
			rover.Stats{Ticks: 5, Attempts: 5, Unreachable: 5}},
	} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := kit.Rove(t, rover.WithDialer(refusing{}), test.opt)
				events, outcomes := kit.Watch[error](s.Errors()), kit.Watch[rover.Outcome](s.Outcomes())
				kit.Start(t, s)
				time.Sleep(4500 * time.Millisecond)
				s.Stop()
				<-events.Done
				all := events.Seen()
				var panicked *rover.PanicError
				if len(all) != 1 || !errors.As(all[0], &panicked) || panicked.In != in || !strings.Contains(panicked.Error(), "ended its goroutine") {
					t.Errorf("emitted %v", all)
				}
				wantStats(t, s, test.want)
				<-outcomes.Done
				kit.Equal(t, "outcomes", len(outcomes.Seen()), 5)
			})
		})
	}
}

// exiting is a log handler whose second call ends its goroutine.
type exiting struct{ calls *atomic.Int64 }

func (e exiting) Enabled(context.Context, slog.Level) bool {
	if e.calls.Add(1) == 2 {
		runtime.Goexit()
	}
	return false
}
func (exiting) Handle(context.Context, slog.Record) error { return nil }
func (e exiting) WithAttrs([]slog.Attr) slog.Handler      { return e }
func (e exiting) WithGroup(string) slog.Handler           { return e }

// A logger that fails where errors are logged that nobody listens to does not
// end the pipeline.
func TestALoggerOfErrorsMayEndItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithServers(nil), rover.WithLogger(slog.New(exitingHandler{})))
		kit.Start(t, s)
		time.Sleep(2500 * time.Millisecond)
		kit.Equal(t, "ticks", s.Stats().Ticks, 3)
	})
}

type exitingHandler struct{ slog.Handler }

func (exitingHandler) Enabled(context.Context, slog.Level) bool { return true }
func (exitingHandler) Handle(context.Context, slog.Record) error {
	runtime.Goexit()
	return nil
}

// A stage of the user's ticks or sets that panics ends these, on Errors. What
// panics at once is Start's error, and the stream has stopped.
func TestAPanicInAStageOfTicksOrSets(t *testing.T) {
	odd := func(_ context.Context, v any) (any, error) { panic(kit.ErrOdd) }
	for in, option := range map[string]func(rxgo.Observable) rover.Option{"ticks": rover.WithTicks, "server sets": rover.WithServerSets} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				subject := hot.NewSubject()
				s := kit.Rove(t, rover.WithDialer(refusing{}), option(subject.Observable().Map(odd)))
				events := s.Errors().Observe()
				kit.Start(t, s)
				synctest.Wait()
				subject.Publish(1)
				var panicked *rover.PanicError
				if item := <-events; !errors.As(item.V.(error), &panicked) || panicked.In != in || !errors.Is(panicked, kit.ErrOdd) {
					t.Errorf("emitted %v", item)
				}
			})
		})
		t.Run(in+" at once", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := kit.Rove(t, option(broken{}))
				var panicked *rover.PanicError
				if err := s.Start(t.Context()); !errors.As(err, &panicked) || panicked.In != in {
					t.Errorf("Start: %v", err)
				}
				if err := s.Start(t.Context()); !errors.Is(err, rover.ErrStopped) {
					t.Errorf("another Start: %v", err)
				}
			})
		})
	}
}

// broken panics at its subscription.
type broken struct{ rxgo.Observable }

func (broken) Observe(...rxgo.Option) <-chan rxgo.Item { panic(kit.ErrOdd) }
