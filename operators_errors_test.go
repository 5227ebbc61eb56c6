package rover_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// offered is a connection and whether its socket is closed.
func offered(slot int) (c *rover.Connection, closed func() bool) {
	client, server := net.Pipe()
	return rover.NewConnection("a", kit.One["a"], slot, client), func() bool {
		_ = server.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := server.Read(make([]byte, 1))
		var timeout net.Error
		return !(errors.As(err, &timeout) && timeout.Timeout())
	}
}

func TestWithLatestFromDeclinesWhatIsTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, other := hot.NewSubject(), hot.NewSubject()
		c, closed := offered(1)
		rover.WithLatestFrom(source.Observable(), other.Observable(), func(_ context.Context, a, _ any) (any, error) { return a, nil }).
			ForEach(func(any) { t.Error("an item") }, func(error) {}, func() {})
		source.Publish(c)
		synctest.Wait()
		if !closed() {
			t.Error("the connection is neither passed on nor declined")
		}
		other.Complete()
		source.Complete()
	})
}

func TestTakeUntilDeclinesWhatEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, notifier := hot.NewSubject(), hot.NewSubject()
		c, closed := offered(1)
		done := rover.TakeUntil(source.Observable(), notifier.Observable()).Run()
		notifier.Publish(c)
		<-done
		if !closed() {
			t.Error("the notifier's connection is neither passed on nor declined")
		}
	})
}

// An error ends all operators.
func TestErrorsEnd(t *testing.T) {
	for name, apply := range map[string]func(rxgo.Observable) rxgo.Observable{
		"TakeUntil": func(o rxgo.Observable) rxgo.Observable { return rover.TakeUntil(o, rxgo.Never()) },
		"Merge":     func(o rxgo.Observable) rxgo.Observable { return rover.Merge([]rxgo.Observable{o}) },
		"Share":     func(o rxgo.Observable) rxgo.Observable { return rover.Share(o) },
		"MergeMap": func(o rxgo.Observable) rxgo.Observable {
			return rover.MergeMap(o, 1, func(i rxgo.Item) rxgo.Observable { return rxgo.Just(i.V)() })
		},
		"WithLatestFrom": func(o rxgo.Observable) rxgo.Observable {
			return rover.WithLatestFrom(o, rover.Interval(time.Second), func(_ context.Context, a, _ any) (any, error) { return a, nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				source := make(chan rxgo.Item)
				go func() {
					time.Sleep(time.Millisecond)
					for _, item := range []rxgo.Item{rxgo.Of(1), rxgo.Error(kit.ErrOdd), rxgo.Of(2)} {
						select {
						case source <- item:
						case <-ctx.Done():
						}
						time.Sleep(time.Millisecond)
					}
					close(source)
				}()
				defer func() { cancel(); time.Sleep(time.Second) }()
				var got []string
				for item := range apply(rxgo.FromChannel(source)).Observe(rxgo.WithContext(ctx)) {
					if item.Error() {
						got = append(got, "E")
					} else {
						got = append(got, fmt.Sprint(item.V))
					}
				}
				if s := strings.Join(got, " "); s != "1 E" {
					t.Errorf("%q, want 1 E", s)
				}
				cancel()
			})
		})
	}
}

// No option is silently ignored.
func TestShareHonoursItsContext(t *testing.T) {
	for name, share := range map[string]func(rxgo.Observable, rxgo.Option) rxgo.Observable{
		"Merge": func(o rxgo.Observable, opt rxgo.Option) rxgo.Observable {
			return rover.Merge([]rxgo.Observable{o}, opt)
		},
		"Share": func(o rxgo.Observable, opt rxgo.Option) rxgo.Observable { return rover.Share(o, opt) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				source := hot.NewSubject()
				seen := kit.Watch[int](share(source.Observable(), rxgo.WithContext(ctx)))
				cancel()
				synctest.Wait()
				select {
				case <-seen.Done:
				default:
					t.Error("it goes on after the end of the context it was given")
				}
				source.Complete()
			})
		})
	}
}

// Who declines all of one side has the socket closed at once.
func TestPartitionDeclines(t *testing.T) {
	bubble(t, func(t *testing.T, s *rover.Stream, g *kit.SlotDialer) {
		yes, no := rover.Partition(s.Connections(), rover.SlotBelow(0))
		yes.Run()
		no.ForEach(func(v any) { v.(*rover.Connection).Decline() }, func(error) {}, func() {})
		kit.Start(t, s)
		time.Sleep(500 * time.Millisecond)
		if n := s.Stats(); n.Declined != 1 || n.Open != 0 {
			t.Errorf("the only one who saw it has declined: %+v", n)
		}
	})
}

func TestEventsNamesAnInterface(t *testing.T) {
	for _, err := range rover.Events[error](t.Context(), rxgo.Just(1)()) {
		if err == nil || !strings.Contains(err.Error(), "want error") {
			t.Error(err)
		}
	}
}

// The newest set is the one in force, however fast they come.
func TestABurstOfSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sets := hot.NewSubject()
		s := kit.Rove(t, rover.WithServerSets(sets.Observable()), rover.WithTicks(rxgo.Never()))
		kit.Start(t, s)
		var last map[string]rover.Server
		var all []map[string]rover.Server
		for i := range 500 {
			last = map[string]rover.Server{}
			for j := range 300 {
				last[fmt.Sprint(j)] = rover.Server{Host: "10.0.0.1", Port: i + 1}
			}
			all = append(all, last)
		}
		for _, set := range all {
			sets.Publish(set)
		}
		synctest.Wait()
		if !maps.Equal(s.Servers(), last) {
			t.Errorf("in force is set %d of 500", s.Servers()["0"].Port)
		}
	})
}

// A project that ends its goroutine, as t.FailNow does, ends its stream.
func TestGoexitInMergeMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := hot.NewSubject()
		items := rover.MergeMap(source.Observable(), 1, func(rxgo.Item) rxgo.Observable {
			runtime.Goexit()
			return nil
		}).Observe()
		source.Publish(1)
		for item := range items { // for ever, if the channel were not closed
			t.Error(item)
		}
		if n := source.Subscribers(); n != 0 {
			t.Errorf("%d subscribers are left", n)
		}
	})
}
