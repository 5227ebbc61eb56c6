package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
)

// choosing is a pool whose choice is the last verdict that was set, and what it
// was asked with.
type choosing struct {
	*pool.Pool
	verdict roam.Verdict
	views   []roam.View
	log     bytes.Buffer
}

func choose(t *testing.T, max int) *choosing {
	c := &choosing{verdict: roam.Verdict{Choice: roam.Keep}}
	c.Pool = kit.Must(pool.New(pool.WithMax(max), pool.WithLogger(slog.New(slog.NewTextHandler(&c.log, nil))),
		pool.WithChoice(func(v roam.View, _ *rover.Connection) roam.Verdict {
			v.Kept = slices.Clone(v.Kept)
			c.views = append(c.views, v)
			return c.verdict
		})))(t)
	t.Cleanup(c.Close)
	return c
}

// bring offers a slot of a server.
func (c *choosing) bring(t *testing.T, id string, slot int) (server net.Conn, kept bool) {
	client, server := pipe(t)
	return server, c.Offer(rover.NewConnection(id, somewhere, slot, client))
}

func (c *choosing) last() roam.View { return c.views[len(c.views)-1] }

func TestChoiceSeesThePoolBySlot(t *testing.T) {
	c := choose(t, 5)
	for _, h := range []roam.Held{{ID: "a", Slot: 3}, {ID: "b", Slot: 1}, {ID: "c", Slot: 3}, {ID: "d", Slot: 7}} {
		c.bring(t, h.ID, h.Slot)
	}
	lent := get(t, c.Pool)
	defer lent.Release()
	c.verdict = roam.Verdict{}
	if server, kept := c.bring(t, "e", 0); kept {
		t.Fatal("kept what was refused")
	} else {
		isClosed(t, server)
	}
	v := c.last()
	kit.Equal(t, "view", fmt.Sprint(v), "{5 [{b 1} {c 3} {a 3} {d 7}] 0}")
	kit.Equal(t, "asked", len(c.views), 5)
	kit.Equal(t, "declined", c.Stats().Declined, 1)
}

// The verdict names who goes, be it the worst or not, at once or, if it is lent,
// when it comes back.
func TestChoiceNamesTheVictim(t *testing.T) {
	c := choose(t, 3)
	servers := map[int]net.Conn{}
	for _, slot := range []int{2, 4, 6} {
		servers[slot], _ = c.bring(t, "a", slot)
	}
	c.verdict = roam.Verdict{Choice: roam.Replace, Victim: 1}
	_, kept := c.bring(t, "b", 9)
	kit.Equal(t, "kept", kept, true)
	isClosed(t, servers[4])

	var lent *pool.Conn
	for lent == nil || lent.Slot() != 2 {
		lent = get(t, c.Pool)
	}
	c.verdict.Victim = 0
	c.bring(t, "b", 5)
	<-lent.Replaced()
	kit.Equal(t, "leaving", c.Stats().Leaving, 1)
	lent.Release()
	isClosed(t, servers[2])
	c.verdict = roam.Verdict{}
	c.bring(t, "x", 0)
	kit.Equal(t, "view", fmt.Sprint(c.last().Kept), "[{b 5} {a 6} {b 9}]")
}

func TestVerdictsThatCannotBe(t *testing.T) {
	c := choose(t, 2)
	for _, verdict := range []roam.Verdict{{Choice: roam.Replace, Victim: 0}, {Choice: roam.Replace, Victim: -1}} {
		c.verdict = verdict
		if _, kept := c.bring(t, "a", 1); kept {
			t.Errorf("kept in the place of nobody: %v", verdict)
		}
	}
	c.verdict = roam.Verdict{Choice: roam.Keep}
	c.bring(t, "a", 1)
	c.bring(t, "a", 2)
	if _, kept := c.bring(t, "a", 0); kept {
		t.Error("kept more than max")
	}
	for _, want := range []string{"victim must be one of 0 kept, from 0, got 0", "got -1", "must not keep more than max, 2"} {
		if !strings.Contains(c.log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, c.log.String())
		}
	}
	kit.Equal(t, "kept", c.Stats().Kept, 2)
}

func TestWithChoiceNil(t *testing.T) {
	_, err := pool.New(pool.WithChoice(nil))
	kit.Equal(t, "error", fmt.Sprint(err), "pool: choice must not be nil")
}

// What is rerated is the worst, whether it is lent or not, and its Slot is still
// what the server gave.
func TestRerate(t *testing.T) {
	p := newPool(t, 3)
	next := watch(t, p)
	for i, id := range []string{"a", "b", "a"} {
		client, _ := pipe(t)
		p.Offer(rover.NewConnection(id, somewhere, i, client))
	}
	lent := get(t, p)
	defer lent.Release()
	slot := lent.Slot()
	kit.Equal(t, "rerated", p.Rerate("a", 50), 2)
	kit.Equal(t, "rerated, nobody", p.Rerate("c", 50), 0)
	kit.Equal(t, "highest", p.Stats().Highest, 50)
	kit.Equal(t, "lent slot", lent.Slot(), slot)
	client, server := pipe(t)
	if p.Offer(rover.NewConnection("a", somewhere, roam.Drain, client)) {
		t.Error("kept what drains")
	}
	isClosed(t, server)
	kit.Equal(t, "highest", p.Stats().Highest, roam.Drain)
	for slot := range 2 {
		keep(t, p, 20+slot, pipe)
	}
	expect(t, next, pool.Kept, pool.Kept, pool.Kept, pool.Lent, pool.Rerated, pool.Rerated, pool.Rerated, pool.Rerated)
	view := roam.View{Max: 3, Kept: []roam.Held{{ID: "a", Slot: roam.Drain}, {ID: "a", Slot: roam.Drain}}}
	for range 2 {
		c := next()
		kit.Equal(t, "change", c.Kind, pool.Replaced)
		kit.Equal(t, "who went", c.Held, roam.Held{ID: "a", Slot: roam.Drain})
		view.Apply(c)
	}
	kit.Equal(t, "in their place", fmt.Sprint(view.Kept), "[{a 20} {a 21}]")
}

// A view that applies all changes is the pool.
func TestChangesSayWhatThePoolIs(t *testing.T) {
	c := choose(t, 4)
	moves, all := c.Moves().Observe(), c.Changes().Observe()
	for n := range 40 {
		c.verdict = roam.Verdict{Choice: roam.Keep}
		if c.Stats().Kept == 4 {
			c.verdict = roam.Verdict{Choice: roam.Replace, Victim: n % 4}
		}
		c.bring(t, fmt.Sprint(n%3), n%5)
		conn := get(t, c.Pool)
		if n%7 == 0 {
			conn.Close()
		}
		conn.Release()
		if n%11 == 0 {
			c.Rerate("1", n)
		}
	}
	c.verdict = roam.Verdict{}
	c.bring(t, "x", 0)
	want := c.last()
	var sum roam.View
	n := c.Stats()
	go c.Close()
	for item := range moves {
		change := item.V.(pool.Change)
		if errors.Is(change.Cause, pool.ErrClosed) {
			break
		}
		if change.Kind == pool.Lent || change.Kind == pool.Released {
			t.Error("a loan is no move:", change)
		}
		sum.Apply(change)
	}
	slices.SortFunc(sum.Kept, func(a, b roam.Held) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	slices.SortFunc(want.Kept, func(a, b roam.Held) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	kit.Equal(t, "view", fmt.Sprint(sum.Kept), fmt.Sprint(want.Kept))
	kit.Equal(t, "kept", n.Kept, len(sum.Kept))
	c.Close()
	for range moves {
	}
	for range all {
	}
}

// Changes say when, and how long a loan and a wait took.
func TestChangesTakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		next := watch(t, p)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := p.Get(ctx); err == nil {
			t.Fatal("lent out of nothing")
		}
		expect(t, next, pool.Waiting)
		c := next()
		if c.Kind != pool.Satisfied || c.Took != time.Second || !errors.Is(c.Cause, context.DeadlineExceeded) || !c.At.Equal(time.Now()) {
			t.Errorf("%+v", c)
		}
		go func() {
			time.Sleep(2 * time.Second)
			keep(t, p, 3, pipe)
		}()
		conn := get(t, p)
		expect(t, next, pool.Waiting, pool.Kept)
		kit.Equal(t, "wait", next().Took, 2*time.Second)
		c = next()
		kit.Equal(t, "lent", c.Kind, pool.Lent)
		kit.Equal(t, "after", c.Took, 2*time.Second)
		time.Sleep(3 * time.Second)
		conn.Release()
		c = next()
		kit.Equal(t, "returned", c.Kind, pool.Released)
		kit.Equal(t, "after", c.Took, 3*time.Second)
		get(t, p).Close()
		expect(t, next, pool.Lent, pool.Closed)
		wait := make(chan error)
		go func() { _, err := p.Get(context.Background()); wait <- err }()
		synctest.Wait()
		p.Close()
		kit.Equal(t, "error", <-wait, pool.ErrClosed)
		expect(t, next, pool.Waiting)
		kit.Equal(t, "cause", next().Cause, pool.ErrClosed)
	})
}

// A subscriber that reads late misses nothing.
func TestChangesLoseNothing(t *testing.T) {
	p := newPool(t, 1)
	changes := p.Changes().Observe()
	keep(t, p, 0, pipe)
	const loans = 1000
	for range loans {
		get(t, p).Release()
	}
	p.Close()
	n := 0
	for range changes {
		n++
	}
	kit.Equal(t, "changes", n, 2*loans+2)
}
