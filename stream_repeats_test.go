package rover_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// A page is a log, line by line.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Split(strings.TrimSuffix(p.text.String(), "\n"), "\n")
}

func (p *page) logger() rover.Option {
	return rover.WithLogger(slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
}

// An error that comes again and again is logged once, then once a minute with
// its count, and what was held back when the stream stops.
func TestTheSameErrorIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log page
		s := kit.Rove(t, rover.WithPick(func(n int) int { return n }), log.logger())
		kit.Start(t, s)
		time.Sleep(2*time.Minute + 30*time.Second + 500*time.Millisecond)
		s.Stop()
		wrong := `error="rover: pick returned 1 for 1 servers, want 0 to 0"`
		want := []string{
			`level=WARN msg="rover: nobody took this error" ` + wrong,
			`level=WARN msg="rover: nobody took this error" ` + wrong + ` times=60`,
			`level=WARN msg="rover: nobody took this error" ` + wrong + ` times=60`,
			`level=WARN msg="rover: nobody took this error, again" ` + wrong + ` times=30`,
		}
		if got := log.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// An hour without servers is one line.
func TestNoServersIsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log page
		s := kit.Rove(t, rover.WithServers(nil), log.logger())
		kit.Start(t, s)
		time.Sleep(time.Hour)
		s.Stop()
		if got := log.lines(); len(got) != 1 || !strings.Contains(got[0], rover.ErrNoServers.Error()) {
			t.Errorf("logged %q", got)
		}
	})
}

// What a full queue gives up is counted, and is logged if it is an error: also
// what the end finds in queues behind a stage whose reader has no room.
func TestNoErrorIsLostUnseen(t *testing.T) {
	for name, stage := range map[string]func(rxgo.Observable) rxgo.Observable{
		"as it is":       func(o rxgo.Observable) rxgo.Observable { return o },
		"behind a stage": func(o rxgo.Observable) rxgo.Observable { return o.Filter(func(any) bool { return true }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log page
				s := kit.Rove(t, rover.WithInterval(time.Millisecond), rover.WithPick(func(n int) int { return n }), log.logger())
				items := stage(s.Errors()).Observe(rxgo.WithBufferedChannel(20))
				kit.Start(t, s)
				time.Sleep(89500 * time.Microsecond) // 90 errors
				s.Stop()
				synctest.Wait()
				read := 0
				for range items {
					read++
				}
				n := s.Stats()
				kit.Equal(t, "ticks", n.Ticks, 90)
				if read == 0 || read+n.Undelivered != 90 {
					t.Errorf("%d errors, %d read, %d undelivered", n.Ticks, read, n.Undelivered)
				}
				logged := log.lines() // the first, and at Stop how many more; behind a stage one may come after that
				if len(logged) < 2 {
					t.Errorf("logged %q", logged)
				}
				if times := fmt.Sprint("times=", n.Undelivered-1); name == "as it is" && !strings.HasSuffix(logged[1], times) {
					t.Errorf("logged %q, want %s", logged[1], times)
				}
			})
		})
	}
}

// What is unreachable and overflows is counted, and not logged.
func TestUnreachableOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log page
		s := kit.Rove(t, rover.WithInterval(time.Millisecond), rover.WithDialer(refusing{}), log.logger())
		items := s.Unreachable().Observe()
		kit.Start(t, s)
		time.Sleep(99500 * time.Microsecond)
		s.Stop()
		var took []time.Time
		for range items {
			took = append(took, time.Now())
		}
		n := s.Stats()
		kit.Equal(t, "unreachable", n.Unreachable, 100)
		if len(took) == 0 || len(took)+n.Undelivered != 100 {
			t.Errorf("%d read, %d undelivered", len(took), n.Undelivered)
		}
		kit.Equal(t, "log", log.lines()[0], "")
	})
}

// Offers that nobody ever answers are one warning: each holds a server's slot.
func TestOffersThatNobodyAnswersAreOneWarning(t *testing.T) {
	for name, test := range map[string]struct {
		subscribe func(s *rover.Stream)
		warnings  int
	}{
		"nobody":        {func(*rover.Stream) {}, 1},
		"who is silent": {func(s *rover.Stream) { s.Connections().ForEach(func(any) {}, func(error) {}, func() {}) }, 1},
		"who declines the first": {func(s *rover.Stream) {
			var n atomic.Int64
			s.Connections().ForEach(func(v any) {
				if n.Add(1) == 1 {
					kit.Decline(v)
				}
			}, func(error) {}, func() {})
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log page
				s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}), log.logger())
				test.subscribe(s)
				kit.Start(t, s)
				time.Sleep(time.Minute)
				s.Stop()
				got := 0
				for _, line := range log.lines() {
					if strings.Contains(line, "level=WARN") && strings.Contains(line, "an offer has expired") {
						got++
					}
				}
				kit.Equal(t, "warnings", got, test.warnings)
			})
		})
	}
}
