package rover_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// What is logged: an error nobody listens to at Warn, attempts at Debug, and
// nothing else.
func TestLogging(t *testing.T) {
	var out safeBuffer
	logger := func(level slog.Level) rover.Option {
		out.Reset()
		return rover.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level:       level,
			ReplaceAttr: untimed,
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
			`level=DEBUG msg="rover: attempt" id=a server=10.0.0.1:4040 outcome="slot 0" took=0s` + "\n", nil},
		"a failure, in debug": {slog.LevelDebug, false,
			`level=DEBUG msg="rover: attempt" id=a server=10.0.0.1:4040 outcome="rover: server \"a\" (10.0.0.1:4040) is unreachable: EOF" took=0s` + "\n",
			[]rover.Option{rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }))}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
				if test.listen {
					kit.Watch[error](s.Errors())
				}
				kit.Start(t, s)
				synctest.Wait()
				s.Stop()
				if got := out.String(); got != test.want {
					t.Errorf("logged\n%swant\n%s", got, test.want)
				}
			}, append(test.opts, logger(test.level))...)
		})
	}
}

// An error that comes again and again is logged once, then once a minute with its
// count, and what was held back at Stop.
func TestARepeatedErrorIsLoggedOnceAMinute(t *testing.T) {
	var out safeBuffer
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		kit.Start(t, s)
		time.Sleep(150*time.Second + 500*time.Millisecond)
		s.Stop()
		const line = `level=WARN msg="rover: nobody took this error" error="rover: panic in dialer: odd"`
		const last = `level=WARN msg="rover: nobody took this error, again" error="rover: panic in dialer: odd" times=30`
		if got, want := out.String(), line+"\n"+line+" times=60\n"+line+" times=60\n"+last+"\n"; got != want {
			t.Errorf("logged\n%swant\n%s", got, want)
		}
	}, rover.WithDialer(kit.DialFunc(func(context.Context, string, string) (net.Conn, error) { panic(kit.ErrOdd) })),
		rover.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: untimed}))))
}

// The first offer that expires is logged if nobody ever answered one.
func TestOffersThatNobodyAnswersAreLogged(t *testing.T) {
	for name, test := range map[string]struct {
		listen func(rxgo.Observable)
		want   string
	}{
		"nobody":            {func(rxgo.Observable) {}, `level=WARN msg="rover: an offer has expired, and nobody has kept or declined any: each holds a server's slot until then" connection="slot 0 of \"a\" (10.0.0.1:4040)" after=5s` + "\n"},
		"one who did first": {func(o rxgo.Observable) { o.Take(1).ForEach(kit.Decline, nil, func() {}) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out safeBuffer
			bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
				test.listen(s.Connections())
				kit.Start(t, s)
				time.Sleep(20 * time.Second)
				s.Stop()
				if got := out.String(); got != test.want {
					t.Errorf("logged\n%swant\n%s", got, test.want)
				}
			}, rover.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: untimed}))))
		})
	}
}

// untimed leaves out the time of a record.
func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// A slow logger does not use up the KeepTimeout.
func TestASlowLogger(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		var kept atomic.Int64
		s.Connections().ForEach(func(v any) {
			if c, err := v.(*rover.Connection).Keep(); err == nil {
				kept.Add(1)
				c.Close()
			}
		}, nil, func() {})
		kit.Start(t, s)
		time.Sleep(30 * time.Second)
		s.Stop()
		if kept.Load() == 0 {
			t.Errorf("no offer lived to be seen: %+v", s.Stats())
		}
	}, rover.WithKeepTimeout(time.Second), rover.WithLogger(slog.New(slow{})))
}

type slow struct{ panicking }

func (slow) Enabled(context.Context, slog.Level) bool  { return true }
func (slow) Handle(context.Context, slog.Record) error { time.Sleep(2 * time.Second); return nil }

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
