package rover_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// Two who keep what they can share all that there is; a lost race ends neither.
func TestKeepEachSurvivesLostRaces(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		one, other := kit.Watch[*rover.Kept](rover.KeepEach(s.Connections())), kit.Watch[*rover.Kept](rover.KeepEach(s.Connections()))
		kit.Start(t, s)
		time.Sleep(20*time.Second - 1)
		s.Stop()
		<-one.Done
		<-other.Done
		kept := append(one.Seen(), other.Seen()...)
		kit.Equal(t, "kept", len(kept), 20)
		wantStats(t, s, rover.Stats{Ticks: 20, Attempts: 20, Connections: 20, Kept: 20})
		kit.Equal(t, "open", g.Connected.Load(), 20)
		slots := map[int]bool{}
		for _, k := range kept {
			slots[k.Slot] = true
			k.Close()
		}
		kit.Equal(t, "slots", len(slots), 20)
	})
}

// A socket that its subscriber does not take is closed.
func TestKeepEachClosesWhatIsUnread(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		ctx, cancel := context.WithCancel(t.Context())
		items := rover.KeepEach(s.Connections(), rxgo.WithBufferedChannel(2)).Observe(rxgo.WithContext(ctx))
		kit.Start(t, s)
		time.Sleep(5500 * time.Millisecond)
		first := (<-items).V.(*rover.Kept)
		cancel()
		synctest.Wait()
		for item := range items {
			item.V.(*rover.Kept).Close() // what was in the channel is the reader's
		}
		first.Close()
		s.Stop()
	})
}

// What is no connection, and an error, end it.
func TestKeepEachEndsWithAnError(t *testing.T) {
	for what, end := range map[string]func(*hot.Subject){
		"rover: KeepEach got int, want *rover.Connection": func(s *hot.Subject) { s.Publish(1) },
		"odd": func(s *hot.Subject) { s.Fail(kit.ErrOdd) },
	} {
		source := hot.NewSubject()
		items := rover.KeepEach(source.Observable()).Observe()
		client, server := net.Pipe()
		source.Publish(rover.NewConnection("a", kit.A, 3, client))
		end(source)
		k := (<-items).V.(*rover.Kept)
		kit.Equal(t, "slot", k.Slot, 3)
		k.Close()
		server.Close()
		if item := <-items; item.E == nil || item.E.Error() != what {
			t.Errorf("got %v, want %s", item, what)
		}
		if _, ok := <-items; ok {
			t.Error("it goes on")
		}
		source.Complete()
	}
}

// Events subscribes when it is made. Without a loop it leaves when its context
// ends, and each further loop subscribes anew.
func TestEventsSubscribesWhenItIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := hot.NewSubject()
		ctx, cancel := context.WithCancel(t.Context())
		never := rover.Events[any](ctx, source.Observable())
		kit.Equal(t, "subscribers", source.Subscribers(), 1)
		cancel()
		synctest.Wait()
		kit.Equal(t, "subscribers", source.Subscribers(), 0)
		for range never {
			t.Error("an event after the end")
		}

		twice := rover.Events[int](t.Context(), source.Observable())
		source.Publish(1)
		source.Publish("two")
		var got []string
		for v, err := range twice {
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, string(rune('0'+v)))
		}
		if text := strings.Join(got, ", "); text != "1, rover: event is string, want int" {
			t.Errorf("got %s", text)
		}
		kit.Equal(t, "subscribers behind the loop", source.Subscribers(), 0)
		go func() {
			synctest.Wait()
			source.Publish(3)
			source.Complete()
		}()
		for v, err := range twice {
			if v != 3 || err != nil {
				t.Errorf("a second loop got %v, %v", v, err)
			}
		}
	})
}

// What was offered to Events, and never looped over, is declined.
func TestEventsThatNobodyLoopsOver(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		ctx, cancel := context.WithCancel(t.Context())
		_ = rover.Events[*rover.Connection](ctx, s.Connections())
		kit.Start(t, s)
		synctest.Wait()
		cancel()
		synctest.Wait()
		wantStats(t, s, rover.Stats{Ticks: 1, Attempts: 1, Connections: 1, Declined: 1, Left: 1})
	})
}

// A subscriber of Share whose loop panics leaves as any other does, and Share
// starts anew with the next one.
func TestShareAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := hot.NewSubject()
		shared := rover.Share(source.Observable())
		loop := func() (recovered any) {
			defer func() { recovered = recover() }()
			for v := range rover.Events[int](t.Context(), shared) {
				panic(v)
			}
			return nil
		}
		for i := range 3 {
			go func() {
				synctest.Wait()
				source.Publish(i)
			}()
			kit.Equal(t, "recovered", loop(), any(i))
			synctest.Wait()
			kit.Equal(t, "subscribers", source.Subscribers(), 0)
		}
	})
}
