package rovergrpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/rovergrpc"
)

// answers makes calls until ten in a row are answered by a node, which takes a
// moment after a change.
func (c client) answers(t *testing.T, n *node) {
	t.Helper()
	for row := 0; row < 10; row++ {
		if kit.Must(c.who(soon(t)))(t) != n.id {
			row = -1
		}
	}
}

// A connection that was replaced gets no new call. The stream on it goes on as
// long as it likes; then the connection closes.
func TestReplacedEndsInPeace(t *testing.T) {
	all, _ := nodes(t, 2)
	p := bare(t, 1)
	c := dial(t, p)
	offer(t, p, all[0], 5)
	ctx, moved := rovergrpc.Moving(soon(t))
	s := kit.Must(c.echo(ctx))(t)
	kit.Equal(t, "who echoes", kit.Must(s.ping())(t), "0")
	select {
	case <-moved:
		t.Fatal("moved, and nothing has happened")
	default:
	}

	if !offer(t, p, all[1], 1) {
		t.Fatal("the pool does not want a better one")
	}
	<-moved
	c.answers(t, all[1])
	for range 10 {
		kit.Equal(t, "who echoes", kit.Must(s.ping())(t), "0")
	}
	kit.Equal(t, "connections on their way out", p.Stats().Leaving, 1)
	kit.Check(t, s.leave())
	kit.Within(t, "the replaced one closes", 20*time.Second, func() bool { return p.Stats().Leaving == 0 && all[0].slots.InUse() == 0 })
	kit.Equal(t, "connections to the other", all[1].slots.InUse(), 1)
}

// A call under way is no different from a stream.
func TestReplacedUnderACall(t *testing.T) {
	all, _ := nodes(t, 2)
	p := bare(t, 1)
	c := dial(t, p)
	offer(t, p, all[0], 5)
	hold := make(chan struct{})
	all[0].hold.Store(&hold)
	answer := make(chan string)
	go func() {
		id, err := c.who(soon(t))
		if err != nil {
			t.Error(err)
		}
		answer <- id
	}()
	kit.Within(t, "the call is under way", 20*time.Second, func() bool { return all[0].calls.Load() == 1 })
	offer(t, p, all[1], 1)
	kit.Within(t, "calls go to the better one", 20*time.Second, func() bool { // until it is ready, more of them are held
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		id, _ := c.who(ctx)
		return id == "1"
	})
	close(hold)
	kit.Equal(t, "who answers", <-answer, "0")
}

// A server that drains sends its streams the same word.
func TestMovingWhenTheServerDrains(t *testing.T) {
	all, set := nodes(t, 2)
	p := open(t, set, 2)
	c := dial(t, p)
	var s echo
	var moved <-chan struct{}
	kit.Within(t, "a stream on 0", 20*time.Second, func() bool {
		var ctx context.Context
		ctx, moved = rovergrpc.Moving(soon(t))
		s = kit.Must(c.echo(ctx))(t)
		return kit.Must(s.ping())(t) == "0" || s.leave() != nil
	})
	stopped := make(chan struct{})
	go func() { all[0].GracefulStop(); close(stopped) }()
	<-moved
	kit.Equal(t, "who echoes", kit.Must(s.ping())(t), "0")
	kit.Check(t, s.leave())
	<-stopped
}

// With an age, what is still under way then ends, and says why.
func TestStreamAge(t *testing.T) {
	all, _ := nodes(t, 2)
	p := bare(t, 1)
	const age = 300 * time.Millisecond
	c := dial(t, p, rovergrpc.WithStreamAge(age))
	offer(t, p, all[0], 5)
	s := kit.Must(c.echo(soon(t)))(t)
	kit.Must(s.ping())(t)
	begun := time.Now()
	offer(t, p, all[1], 1)
	kit.Must(s.ping())(t)
	err := s.RecvMsg(nil)
	took := time.Since(begun)
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "WithStreamAge") || took < age*9/10 {
		t.Errorf("after %v the stream ended by %v", took, err)
	}
	kit.Within(t, "its connection is closed", 20*time.Second, func() bool { return p.Stats().Leaving == 0 && all[0].slots.InUse() == 0 })
	c.answers(t, all[1])
}

// The least busy connection gets the next call.
func TestLeastBusy(t *testing.T) {
	all, _ := nodes(t, 2)
	p := bare(t, 2)
	c := dial(t, p, rovergrpc.WithLeastBusy())
	offer(t, p, all[0], 0)
	offer(t, p, all[1], 0)
	kit.Within(t, "both are ready", 20*time.Second, func() bool {
		kit.Must(c.who(soon(t)))(t)
		return all[0].calls.Load() > 0 && all[1].calls.Load() > 0
	})
	hold := make(chan struct{})
	all[0].hold.Store(&hold)
	before := all[0].calls.Load()
	answered := make(chan error)
	held := 0
	for all[0].calls.Load() == before { // one call is held; in turn it would be every other
		go func() { _, err := c.who(soon(t)); answered <- err }()
		select {
		case err := <-answered:
			kit.Check(t, err)
		case <-time.After(100 * time.Millisecond):
			held++
		}
	}
	for range 20 {
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), "1")
	}
	close(hold)
	all[0].hold.Store(nil)
	for range held {
		kit.Check(t, <-answered)
	}
	c.who(soon(t))
	kit.Within(t, "the other gets calls again", 20*time.Second, func() bool { return kit.Must(c.who(soon(t)))(t) == "0" })
}

// A server whose transport comes up and that hangs up again and again costs no
// calls of the others.
func TestMaxConnectionAgeIsHarmless(t *testing.T) {
	_, set := nodes(t, 1)
	n := serve(t, "short", "127.0.0.1:0", shortLived)
	set[n.id] = n.at
	c := dial(t, open(t, set, 4))
	end := time.After(2 * time.Second)
	for calls := 0; ; calls++ {
		select {
		case <-end:
			t.Logf("%d calls, %d of them of the short-lived server", calls, n.calls.Load())
			if n.calls.Load() == 0 {
				t.Error("none went to the short-lived server")
			}
			return
		default:
			kit.Must(c.who(soon(t), grpc.WaitForReady(true)))(t)
		}
	}
}
