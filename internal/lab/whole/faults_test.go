package whole_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/faulty"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// TestFaultsOverTCP holds each case of docs/faults.md to its outcome over real TCP.
func TestFaultsOverTCP(t *testing.T) {
	warm, err := net.Listen("tcp", "127.0.0.1:0") // the poller's own descriptors come with the first
	kit.Check(t, err)
	_ = warm.Close()
	before := kit.Descriptors()
	t.Run("cases", func(t *testing.T) {
		for _, c := range faulty.Cases() {
			if c.Virtual {
				continue
			}
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				patience := 20 * time.Second // for a slow machine: no outcome may depend on it
				if c.Want[0].After > 0 {
					patience = 100 * time.Millisecond
				}
				server, err := faulty.TCP(c, "127.0.0.1", patience)
				if errors.Is(err, errors.ErrUnsupported) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				defer server.Close()
				play(t, c, server, patience, func() {
					if !c.Watches() {
						return
					}
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					if err := server.Quiet(ctx); err != nil {
						t.Error(err)
					}
				})
			})
		}
	})
	if after := kit.Descriptors(); after > before { // fewer: what tests before this one left to a finalizer
		t.Errorf("%d descriptors were open before all cases, %d after", before, after)
	}
}

// TestFaultsOverPipes does the same in virtual time, where the instants are exact. A bubble ends
// only when all its goroutines have.
func TestFaultsOverPipes(t *testing.T) {
	for _, c := range faulty.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const patience = 8 * time.Second
				server := faulty.Pipe(c, patience)
				defer server.Close()
				events := play(t, c, server, patience, func() {
					synctest.Wait()
					if open := server.Open(); c.Watches() && open != 0 {
						t.Errorf("%d connections are still open", open)
					}
					if n := server.Sent(); c.Want[0].Stream != faulty.Connections && n > 32 {
						t.Errorf("read %d bytes of a line", n)
					}
				})
				for _, e := range events {
					if want := time.Duration(e.want.After * float64(patience)); e.after != want {
						t.Errorf("%v was emitted after %v, want %v", e.want, e.after, want)
					}
				}
			})
		})
	}
}

// An event is what a rover reported, and the outcome that it turned out to be.
type event struct {
	stream faulty.Stream
	item   any
	kept   net.Conn // for Connections
	after  time.Duration
	want   faulty.Outcome
}

// play has a rover make the case's one attempt, and holds what it emits to what the case wants.
// left checks that the server has seen its clients leave.
func play(t *testing.T, c faulty.Case, server *faulty.Server, patience time.Duration, left func()) []event {
	dialer := &watchedDialer{Dialer: server.Dialer(), begun: make(chan struct{}), done: make(chan struct{})}
	stream := newRover(t, c, server, dialer, patience)
	events, ended := collect(stream)
	ctx, cancel := context.WithCancel(t.Context())
	if c.Owner == faulty.PassesIt {
		ctx, cancel = context.WithTimeout(t.Context(), patience/2)
	}
	defer cancel()
	if err := stream.Start(ctx); err != nil {
		t.Fatal(err)
	}

	switch c.Owner {
	case faulty.StopsMidway:
		dialer.wait(c)
		stream.Stop()
	case faulty.CancelsIt:
		dialer.wait(c)
		cancel()
		ended()
	case faulty.PassesIt:
		ended()
	}
	var reported []event
	if c.Want[0].Stream != faulty.None {
		for range 1 + len(c.Also) {
			reported = append(reported, <-events)
		}
	}
	match(t, c, reported)
	for _, e := range reported {
		if e.kept != nil {
			_ = e.kept.Close()
		}
	}
	left()
	stream.Stop()
	ended()
	for e := range events {
		t.Errorf("a further event: %s %v", e.stream, e.item)
	}
	checkStats(t, c, stream.Stats())
	return reported
}

// newRover makes the rover of the case, with an owner who does as the case says.
func newRover(t *testing.T, c faulty.Case, server *faulty.Server, dialer rover.Dialer, patience time.Duration) *rover.Stream {
	opts := []rover.Option{
		rover.WithTicks(rxgo.Just(1)()),
		rover.WithServers(map[string]rover.Server{"a": {Host: server.Host(), Port: server.Port()}}),
		rover.WithDialer(dialer),
		rover.WithDialTimeout(patience),
		rover.WithKeepTimeout(time.Hour),
		rover.WithLogger(kit.Quiet()),
	}
	switch c.Owner {
	case faulty.HasNoServers:
		opts = append(opts, rover.WithServers(nil))
	case faulty.TicksTwice:
		opts = append(opts, rover.WithTicks(rxgo.Just(1, 2)()), rover.WithMaxInFlight(1))
	case faulty.PanicsInPick:
		opts = append(opts, rover.WithPick(func(int) int { panic("a pick that panics") }))
	case faulty.PanicsInLog:
		opts = append(opts, rover.WithLogger(slog.New(panickingHandler{})))
	}
	stream, err := rover.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// collect subscribes to all three streams. Connections are kept. ended waits for the end of the
// streams, after which events is closed.
func collect(stream *rover.Stream) (events <-chan event, ended func()) {
	start := time.Now()
	all := make(chan event, 16)
	var running sync.WaitGroup
	listen := func(name faulty.Stream, source rxgo.Observable) {
		items := source.Observe()
		running.Go(func() {
			for item := range items {
				e := event{stream: name, item: item.V, after: time.Since(start)}
				if conn, ok := item.V.(*rover.Connection); ok {
					e.kept, _ = conn.Keep()
				}
				all <- e
			}
		})
	}
	listen(faulty.Connections, stream.Connections())
	listen(faulty.Unreachable, stream.Unreachable())
	listen(faulty.Errors, stream.Errors())
	return all, sync.OnceFunc(func() {
		running.Wait()
		close(all)
	})
}

// match finds the outcome of each event: one of those wanted, and all of those wanted besides.
func match(t *testing.T, c faulty.Case, reported []event) {
	t.Helper()
	open := [][]faulty.Outcome{c.Want}
	for _, also := range c.Also {
		open = append(open, []faulty.Outcome{also})
	}
	for i := range reported {
		var err error
		if open, err = reported[i].find(open); err != nil {
			t.Error(err)
		}
	}
}

// find finds the event's outcome among those still open, each a choice, and returns the others.
func (e *event) find(open [][]faulty.Outcome) ([][]faulty.Outcome, error) {
	var faults []error
	for i, either := range open {
		for _, want := range either {
			fault := compare(want, *e)
			if fault == nil {
				e.want = want
				return slices.Delete(open, i, i+1), nil
			}
			faults = append(faults, fault)
		}
	}
	return open, errors.Join(faults...)
}

// compare says what is wrong with an event, if it was to be the outcome want.
func compare(want faulty.Outcome, e event) error {
	wrong := fmt.Errorf("want %s; got %s: %v", want, e.stream, e.item)
	if e.stream != want.Stream {
		return wrong
	}
	switch item := e.item.(type) {
	case *rover.Connection:
		if item.Slot != want.Slot || item.ID != "a" || e.kept == nil {
			return wrong
		}
		if _, tcp := e.kept.LocalAddr().(*net.TCPAddr); tcp {
			if _, raw := e.kept.(*net.TCPConn); !raw {
				return fmt.Errorf("want the raw socket, got %T", e.kept)
			}
		}
		return want.CheckKept(e.kept)
	case *rover.UnreachableError:
		if item.ID != "a" || item.Server.Port == 0 || item.Took < 0 || item.Took > e.after {
			return wrong
		}
		return want.CheckCause(item)
	case error:
		if !isClass(item, want) {
			return wrong
		}
		return want.CheckCause(item)
	}
	return wrong
}

// isClass reports whether err is of the class wanted, in every way that a user may ask.
func isClass(err error, want faulty.Outcome) bool {
	var protocol *rover.ProtocolError
	var local *rover.LocalError
	var panicked *rover.PanicError
	switch want.Class {
	case faulty.Protocol:
		return errors.As(err, &protocol) && errors.Is(err, rover.ErrProtocol) && protocol.ID == "a" &&
			protocol.Addr != "" && len(protocol.Line) <= 32 && strings.HasPrefix(string(protocol.Line), want.Wrong)
	case faulty.Resources:
		return errors.Is(err, rover.ErrResources) && errors.As(err, &local) && local.ID == "a" && local.Server.Port != 0
	case faulty.NoServers:
		return errors.Is(err, rover.ErrNoServers)
	case faulty.Busy:
		return errors.Is(err, rover.ErrBusy)
	case faulty.Panic:
		return errors.As(err, &panicked)
	}
	return false
}

// checkStats holds the counters to the one attempt there was, and to their own sums.
func checkStats(t *testing.T, c faulty.Case, n rover.Stats) {
	t.Helper()
	attempts := 1
	if c.Owner == faulty.HasNoServers || c.Owner == faulty.PanicsInPick {
		attempts = 0
	}
	if n.Attempts != attempts || n.InFlight != 0 || n.Open != 0 {
		t.Errorf("want %d attempts and nothing left, got %+v", attempts, n)
	}
	if err := kit.AddUp(n); err != nil {
		t.Error(err)
	}
}

// A watchedDialer reports how far its one dial is.
type watchedDialer struct {
	rover.Dialer
	begun, done chan struct{}
}

func (d *watchedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	close(d.begun)
	defer close(d.done)
	return d.Dialer.DialContext(ctx, network, address)
}

// wait waits for the middle of the attempt: in the dial, where it never ends, else behind it.
func (d *watchedDialer) wait(c faulty.Case) {
	<-d.begun
	if c.Way.Straight() {
		<-d.done
	}
}

// A panickingHandler panics with each record.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (panickingHandler) Handle(context.Context, slog.Record) error { panic("a logger that panics") }
