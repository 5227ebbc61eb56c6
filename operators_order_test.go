package rover_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// What was published before the notice is seen, whatever holds up its subscriber, and
// nothing after it.
func TestTakeUntilsNoticeHasItsPlace(t *testing.T) {
	for range 20 { // a coin would fall on the right side some of the times
		synctest.Test(t, func(t *testing.T) {
			source, notifier, gate := hot.NewSubject(), hot.NewSubject(), make(chan struct{})
			seen := 0
			done := rover.TakeUntil(source.Observable(), notifier.Observable()).ForEach(func(any) {
				seen++
				<-gate
			}, func(error) {}, func() {})
			source.Publish(1)
			synctest.Wait()
			source.Publish(2)
			notifier.Publish("stop")
			source.Publish(3)
			close(gate)
			<-done
			kit.Equal(t, "seen", seen, 2)
		})
	}
}

// What combine fails at is declined.
func TestWithLatestFromDeclinesWhatCombineFailsAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, other := hot.NewSubject(), hot.NewSubject(hot.WithLatest())
		other.Publish(1)
		items := rover.WithLatestFrom(source.Observable(), other.Observable(), func(context.Context, any, any) (any, error) {
			return nil, kit.ErrOdd
		}).Observe()
		client, server := net.Pipe()
		closed := false
		go func() {
			_, _ = server.Read(make([]byte, 1))
			closed = true
		}()
		source.Publish(rover.NewConnection("a", kit.A, 1, client))
		kit.Equal(t, "error", (<-items).E, kit.ErrOdd)
		synctest.Wait()
		kit.Equal(t, "closed", closed, true)
		client.Close()
	})
}

// A connection that is over when its turn comes ends nothing.
func TestKeepEachSkipsWhatIsOver(t *testing.T) {
	source := hot.NewSubject()
	items := rover.KeepEach(source.Observable()).Observe()
	for slot := range 3 {
		client, server := net.Pipe()
		defer server.Close()
		c := rover.NewConnection("a", kit.A, slot, client)
		if slot < 2 {
			c.Decline()
		}
		source.Publish(c)
	}
	k := (<-items).V.(*rover.Kept)
	kit.Equal(t, "slot", k.Slot, 2)
	k.Close()
	source.Complete()
}

// A source of RxGo's own that is blocked in a send is let go too, if nobody
// loops.
func TestEventsLetsItsSourceGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		source := rxgo.Create([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
			next <- rxgo.Of(1)
			next <- rxgo.Of(2)
			ended = true
		}})
		ctx, cancel := context.WithCancel(t.Context())
		_ = rover.Events[int](ctx, source)
		synctest.Wait()
		cancel()
		synctest.Wait()
		kit.Equal(t, "the source has ended", ended, true)
	})
}
