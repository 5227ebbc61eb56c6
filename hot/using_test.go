package hot

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"
)

// wrapped is an observable of somebody's own around one of this package.
type wrapped struct{ rxgo.Observable }

func (w wrapped) Unwrap() rxgo.Observable { return w.Observable }

// Each subscription has a source of its own, with the queue it chose, and closes it, however
// it ends.
func TestUsing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made []*Subject
		lost := 0
		var closed atomic.Int32
		source := wrapped{Using(func(context.Context) (rxgo.Observable, func()) {
			made = append(made, NewSubject(WithDropped(func(any) { lost++ })))
			return made[len(made)-1].Observable(), func() { closed.Add(1) }
		})}
		if !Ours(source) || Ours(rxgo.Empty()) {
			t.Error("Ours does not know what is of this package")
		}
		var seen []any
		ctx, cancel := context.WithCancel(t.Context())
		items := Items(ctx, source, rxgo.WithBufferedChannel(1))
		source.DoOnNext(func(v any) { seen = append(seen, v) })
		for _, s := range made {
			s.Publish("a")
			s.Publish("b")
		}
		synctest.Wait()
		if len(made) != 2 || closed.Load() != 0 || lost != 1 || len(seen) != 2 {
			t.Errorf("made %d, closed %d, lost %d, seen %v; want 2, 0, 1 and both", len(made), closed.Load(), lost, seen)
		}
		made[1].Complete()
		cancel()
		for range items {
			t.Error("an item after the context's end")
		}
		synctest.Wait()
		if closed.Load() != 2 {
			t.Errorf("closed %d of 2", closed.Load())
		}
	})
}
