package rover_test

import (
	"context"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// pipes dials pipes; what the servers do with their ends is the test's.
func pipes(serve func(server net.Conn)) kit.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			serve(server)
			_, _ = io.Copy(io.Discard, server)
		}()
		return client, nil
	}
}

// phases are dialers in which an attempt is somewhere when the stream ends.
var phases = map[string]kit.DialFunc{
	"in the dial": func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	},
	"in a dial that keeps the deadline by itself": func(ctx context.Context, _, _ string) (net.Conn, error) {
		deadline, _ := ctx.Deadline()
		select {
		case <-time.After(time.Until(deadline)):
			return nil, os.ErrDeadlineExceeded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	},
	"in a dial that comes to something all the same": func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			_, _ = io.WriteString(server, "1\r\n")
		}()
		return client, nil
	},
	"in a dialer that reads a proxy's answer": func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, _ := pipes(func(net.Conn) {})(ctx, network, address)
		deadline, _ := ctx.Deadline()
		_ = conn.SetDeadline(deadline)
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	},
	"before the line": pipes(func(net.Conn) {}),
	"in the line":     pipes(func(server net.Conn) { _, _ = io.WriteString(server, "13") }),
}

// A late context is one whose timer is late: its deadline has passed before it
// has ended, and a dialer may be the first to see that.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }

// Whatever ends a stream, and wherever its attempts are then: none of them
// says anything, all of them are counted as aborted, and no socket is left.
func TestWhateverEndsAStreamBlamesNobody(t *testing.T) {
	const life = 1500 * time.Millisecond // two attempts
	ends := map[string]struct {
		context func() (context.Context, context.CancelFunc)
		end     func(s *rover.Stream, cancel func())
		opts    []rover.Option
	}{
		"Stop":     {end: func(s *rover.Stream, _ func()) { s.Stop() }},
		"Shutdown": {end: func(s *rover.Stream, _ func()) { _ = s.Shutdown(context.Background()) }},
		"cancel":   {end: func(_ *rover.Stream, cancel func()) { cancel() }},
		"deadline": {context: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), life)
		}},
		"deadline at a dial timeout": {opts: []rover.Option{rover.WithDialTimeout(life)}, context: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), life)
		}},
		"deadline whose timer is late": {context: func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithTimeout(context.Background(), life+time.Millisecond)
			return late{ctx, time.Now().Add(life)}, cancel
		}},
	}
	for phase, dial := range phases {
		for how, end := range ends {
			t.Run(phase+" by "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := kit.Rove(t, append(end.opts, rover.WithDialer(dial))...)
					events := kit.Watch[any](rover.Merge([]rxgo.Observable{s.Connections(), s.Unreachable(), s.Errors(), s.Outcomes()}))
					ctx, cancel := context.WithCancel(context.Background())
					if end.context != nil {
						ctx, cancel = end.context()
					}
					defer cancel()
					kit.Check(t, s.Start(ctx))
					if time.Sleep(life); end.end != nil {
						end.end(s, cancel)
					}
					<-events.Done
					s.Stop()
					if seen := events.Seen(); len(seen) > 0 {
						t.Errorf("emitted %v", seen)
					}
					wantStats(t, s, rover.Stats{Ticks: 2, Attempts: 2, Aborted: 2})
				})
			})
		}
	}
}

// A name's lookup ends with the stream, and at the dial timeout.
func TestALookupEnds(t *testing.T) {
	begin := func(t *testing.T, opts ...rover.Option) (*rover.Stream, <-chan context.Context, *kit.Watcher[any]) {
		looking := make(chan context.Context, 100) // a lookup asks for A and for AAAA
		dialer := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			looking <- ctx
			<-ctx.Done()
			return nil, ctx.Err()
		}}}
		s := kit.Rove(t, append(opts, rover.WithDialer(dialer), rover.WithInterval(time.Hour),
			rover.WithServers(map[string]rover.Server{"a": {Host: "slow.test.", Port: 1}}))...)
		return s, looking, kit.Watch[any](rover.Merge([]rxgo.Observable{s.Connections(), s.Unreachable(), s.Errors(), s.Outcomes()}))
	}
	for how, end := range map[string]func(s *rover.Stream, cancel func()){
		"Stop":   func(s *rover.Stream, _ func()) { s.Stop() },
		"cancel": func(_ *rover.Stream, cancel func()) { cancel() },
	} {
		t.Run(how, func(t *testing.T) {
			s, looking, events := begin(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			kit.Check(t, s.Start(ctx))
			asked := <-looking
			end(s, cancel)
			<-asked.Done()
			<-events.Done
			if seen := events.Seen(); len(seen) > 0 {
				t.Errorf("emitted %v", seen)
			}
			kit.Equal(t, "aborted", s.Stats().Aborted, 1)
		})
	}
	t.Run("deadline", func(t *testing.T) {
		s, _, events := begin(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		kit.Check(t, s.Start(ctx))
		<-events.Done
		if seen := events.Seen(); len(seen) > 0 {
			t.Errorf("emitted %v", seen)
		}
		kit.Equal(t, "aborted", s.Stats().Aborted, 1)
	})
	t.Run("dial timeout", func(t *testing.T) {
		s, _, _ := begin(t, rover.WithDialTimeout(20*time.Millisecond))
		down := s.Unreachable().Observe()
		kit.Start(t, s)
		err := (<-down).V.(*rover.UnreachableError)
		if timeout, ok := err.Err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("not a timeout: %v", err)
		}
		if err.Took < 20*time.Millisecond {
			t.Errorf("took %v", err.Took)
		}
		kit.Equal(t, "address", err.Addr, "")
	})
}
