package pool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

func connection(t *testing.T, slot int) *rover.Connection {
	client, _ := pipe(t)
	return rover.NewConnection("a", somewhere, slot, client)
}

// Several sources feed one pool, each until its own end.
func TestAttach(t *testing.T) {
	p := newPool(t, 10)
	a, b := hot.NewSubject(), hot.NewSubject()
	ctx, cancel := context.WithCancel(context.Background())
	next := watch(t, p)
	endA := p.Attach(ctx, a.Observable())
	endB := p.Attach(context.Background(), b.Observable().Filter(rover.SlotBelow(5)))
	a.Publish(connection(t, 7)) // seen, though it comes at once
	expect(t, next, pool.Kept)
	b.Publish(connection(t, 7))
	b.Publish(connection(t, 4))
	expect(t, next, pool.Kept)
	kit.Equal(t, "lowest", p.Stats().Lowest, 4)
	b.Complete()
	<-endB
	cancel()
	<-endA
	kit.Equal(t, "subscribers", a.Subscribers(), 0)
}

func TestAttachEndsWithThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 10)
		never := make(chan rxgo.Item)
		ends := []rxgo.Disposed{
			p.Attach(context.Background(), rxgo.FromChannel(never)),
			p.Attach(context.Background(), hot.NewSubject().Observable()),
		}
		p.Close()
		ends = append(ends, p.Attach(context.Background(), rxgo.Never()))
		for _, end := range ends {
			<-end
		}
		close(never)
	})
}

func TestAttachTellsWhatIsWrong(t *testing.T) {
	var log bytes.Buffer
	p := kit.Must(pool.New(pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))(t)
	defer p.Close()
	items := make(chan rxgo.Item, 3)
	items <- rxgo.Of("a string")
	items <- rxgo.Of(connection(t, 3))
	items <- rxgo.Error(errors.New("no more"))
	<-p.Attach(context.Background(), rxgo.FromChannel(items))
	kit.Equal(t, "kept", p.Stats().Kept, 1)
	for _, want := range []string{"a string", "no more"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not logged: %q; got %s", want, &log)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	kit.Equal(t, "kind", pool.Closed.String(), "closed")
	kit.Equal(t, "kind", pool.Kind(13).String(), "Kind(13)")
	kit.Equal(t, "kind", pool.Kind(-1).String(), "Kind(-1)")
}

// Nobody who listens, and no longer listens, costs anything.
func TestChangesWithoutListenersAllocateNothing(t *testing.T) {
	p := newPool(t, 1)
	keep(t, p, 0, tcp)
	ctx, cancel := context.WithCancel(context.Background())
	changes := p.Changes().Observe(rxgo.WithContext(ctx))
	cancel()
	for range changes {
	}
	if n := testing.AllocsPerRun(1000, func() {
		c, _ := p.TryGet()
		c.Release()
	}); n > 0 {
		t.Errorf("%v allocations a loan", n)
	}
}
