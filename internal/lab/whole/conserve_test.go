package whole_test

import (
	"context"
	"iter"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// Operators in the real world, where everything happens at once: what goes in
// comes out, or is declined.

// A batch is connections that all have to be closed in the end.
type batch struct {
	open   sync.WaitGroup
	closed atomic.Int64
}

func (b *batch) connection(slot int) *rover.Connection {
	b.open.Add(1)
	return rover.NewConnection("a", kit.A, slot, &socket{closed: sync.OnceFunc(func() {
		b.closed.Add(1)
		b.open.Done()
	})})
}

// A socket reports when it is closed. Its Conn may be nil.
type socket struct {
	net.Conn
	closed func()
}

func (s *socket) Close() error {
	s.closed()
	if s.Conn == nil {
		return nil
	}
	return s.Conn.Close()
}

// publisher publishes connections, and declines what nobody takes.
func publisher() (source *hot.Subject, publish func(*rover.Connection)) {
	source = hot.NewSubject(hot.WithDropped(kit.Decline))
	return source, func(c *rover.Connection) {
		if source.Publish(c) == 0 {
			c.Decline()
		}
	}
}

// single emits one connection.
func single(v any) rxgo.Observable {
	return hot.Create(func(context.Context) iter.Seq[rxgo.Item] {
		return func(yield func(rxgo.Item) bool) { yield(rxgo.Of(v)) }
	}, kit.Decline)
}

func first(_ context.Context, v, _ any) (any, error) { return v, nil }

// Each operator, with connections going in, some while its subscriber leaves.
var operators = map[string]func(source, other rxgo.Observable) rxgo.Observable{
	"WithLatestFrom": func(source, other rxgo.Observable) rxgo.Observable {
		return rover.WithLatestFrom(source, other, first)
	},
	"WithLatestFrom a silent one": func(source, _ rxgo.Observable) rxgo.Observable {
		return rover.WithLatestFrom(source, rxgo.Never(), first)
	},
	"MergeMap": func(source, _ rxgo.Observable) rxgo.Observable {
		return rover.MergeMap(source, 0, func(i rxgo.Item) rxgo.Observable { return single(i.V) })
	},
	"MergeMap, two at once": func(source, _ rxgo.Observable) rxgo.Observable {
		return rover.MergeMap(source, 2, func(i rxgo.Item) rxgo.Observable { return single(i.V) })
	},
	"Merge": func(source, other rxgo.Observable) rxgo.Observable {
		return rover.Merge([]rxgo.Observable{source, other.IgnoreElements()})
	},
	"TakeUntil": func(source, other rxgo.Observable) rxgo.Observable {
		return rover.TakeUntil(source, other.Skip(1))
	},
	"Share":  func(source, _ rxgo.Observable) rxgo.Observable { return rover.Share(source) },
	"Accept": func(source, _ rxgo.Observable) rxgo.Observable { return rover.Accept(source, rover.SlotBelow(20)) },
	"a chain": func(source, other rxgo.Observable) rxgo.Observable {
		low := rover.Accept(rover.Share(source), rover.SlotBelow(20))
		return rover.TakeUntil(rover.WithLatestFrom(low, other, first), other.Skip(1))
	},
}

// Ways to read a few connections and leave.
var leavers = map[string]func(ctx context.Context, cancel func(), o rxgo.Observable, few int){
	"Observe": func(ctx context.Context, cancel func(), o rxgo.Observable, few int) {
		for item := range o.Observe(rxgo.WithContext(ctx)) {
			kit.Decline(item.V)
			if few--; few <= 0 {
				cancel()
			}
		}
	},
	"ForEach": func(ctx context.Context, cancel func(), o rxgo.Observable, few int) {
		<-o.ForEach(func(v any) {
			kit.Decline(v)
			if few--; few <= 0 {
				cancel()
			}
		}, func(error) {}, func() {}, rxgo.WithContext(ctx))
	},
	"Events": func(ctx context.Context, _ func(), o rxgo.Observable, few int) {
		for c := range rover.Events[*rover.Connection](ctx, o) {
			c.Decline()
			if few--; few <= 0 {
				break
			}
		}
	},
	"Take": func(_ context.Context, _ func(), o rxgo.Observable, few int) {
		<-o.Take(uint(few)).ForEach(kit.Decline, func(error) {}, func() {})
	},
}

func TestLeavingLosesNoConnection(t *testing.T) {
	const connections = 40
	for name, operator := range operators {
		for way, leave := range leavers {
			t.Run(name+", "+way, func(t *testing.T) {
				for few := 1; few < connections; few += 7 {
					var all batch
					source, publish := publisher()
					other := hot.NewSubject(hot.WithLatest())
					other.Publish("there")
					ctx, cancel := context.WithCancel(t.Context())
					passed := operator(source.Observable(), other.Observable())
					var running sync.WaitGroup
					running.Go(func() { leave(ctx, cancel, passed, few) })
					for slot := range connections {
						publish(all.connection(slot))
					}
					source.Complete()
					other.Complete()
					running.Wait()
					cancel()
					all.open.Wait() // for ever, if one is lost
				}
			})
		}
	}
}

// Who leaves with all unread has taken nothing.
func TestWhatIsUnreadIsDeclined(t *testing.T) {
	for name, operator := range operators {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var all batch
				source, publish := publisher()
				other := hot.NewSubject(hot.WithLatest())
				other.Publish("there")
				ctx, cancel := context.WithCancel(t.Context())
				unread := operator(source.Observable(), other.Observable()).Observe(rxgo.WithContext(ctx))
				for slot := range 10 {
					publish(all.connection(slot))
				}
				synctest.Wait()
				cancel()
				all.open.Wait()
				if item, ok := <-unread; ok {
					t.Errorf("%v was left in the channel", item)
				}
			})
		})
	}
}

// What a sharer's queue does not hold is declined for it.
func TestShareDeclinesWhatOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all batch
		source, publish := publisher()
		ctx, cancel := context.WithCancel(t.Context())
		rover.Share(source.Observable()).Observe(rxgo.WithContext(ctx))
		const connections = 4 * hot.DefaultQueue
		for slot := range connections {
			publish(all.connection(slot))
			synctest.Wait()
		}
		// Beside the queue, the channel holds as many, and one is on its way.
		if n := all.closed.Load(); n < connections-2*hot.DefaultQueue-1 {
			t.Errorf("%d of %d were declined", n, connections)
		}
		cancel()
		all.open.Wait()
	})
}

func TestEventsDeclinesWhatItCannotTell(t *testing.T) {
	var all batch
	for _, err := range rover.Events[string](t.Context(), rxgo.Just(all.connection(3))()) {
		if err == nil {
			t.Error("a connection is no string")
		}
	}
	all.open.Wait()
}

func TestMergeKeepsAllInOrder(t *testing.T) {
	const sources, items = 8, 60
	var subjects []*hot.Subject
	var all []rxgo.Observable
	for range sources {
		s := hot.NewSubject(hot.WithQueue(items))
		subjects, all = append(subjects, s), append(all, s.Observable())
	}
	var next [sources]int
	done := rover.Merge(all).ForEach(func(v any) {
		who, n := v.([2]int)[0], v.([2]int)[1]
		if next[who] != n {
			t.Errorf("source %d: got %d, want %d", who, n, next[who])
		}
		next[who]++
	}, func(err error) { t.Error(err) }, func() {})
	for who, s := range subjects {
		go func() {
			defer s.Complete()
			for n := range items {
				s.Publish([2]int{who, n})
			}
		}()
	}
	<-done
	for who, n := range next {
		if n != items {
			t.Errorf("source %d: %d of %d", who, n, items)
		}
	}
}

func TestMergeMapObservesNoMoreThanN(t *testing.T) {
	const n, items = 3, 60
	var now, most, seen atomic.Int64
	source := hot.NewSubject(hot.WithQueue(items))
	merged := rover.MergeMap(source.Observable(), n, func(rxgo.Item) rxgo.Observable {
		return hot.Create(func(context.Context) iter.Seq[rxgo.Item] {
			return func(yield func(rxgo.Item) bool) {
				if at := now.Add(1); at > most.Load() {
					most.Store(at)
				}
				yield(rxgo.Of(1))
				now.Add(-1)
			}
		}, nil)
	})
	done := merged.ForEach(func(any) { seen.Add(1) }, func(err error) { t.Error(err) }, func() {})
	for range items {
		source.Publish("go")
	}
	source.Complete()
	<-done
	if seen.Load() != items || most.Load() > n || now.Load() != 0 {
		t.Errorf("saw %d of %d, %d at once, %d left", seen.Load(), items, most.Load(), now.Load())
	}
}

// What was published before is what goes with the next item.
func TestWithLatestFromHasTheLatest(t *testing.T) {
	const items = 60
	source, other := hot.NewSubject(hot.WithQueue(items)), hot.NewSubject()
	n := 0
	done := rover.WithLatestFrom(source.Observable(), other.Observable(), func(_ context.Context, item, latest any) (any, error) {
		return latest.(int) >= item.(int), nil
	}).ForEach(func(v any) {
		if n++; v != true {
			t.Errorf("item %d went with what was older", n)
		}
	}, func(err error) { t.Error(err) }, func() {})
	for i := range items {
		other.Publish(i)
		source.Publish(i)
	}
	source.Complete()
	<-done
	if n != items {
		t.Errorf("%d of %d", n, items)
	}
}

// What is published after the notifier's item is not seen.
func TestTakeUntilLetsNothingPassAfterwards(t *testing.T) {
	source, notifier := hot.NewSubject(), hot.NewSubject()
	passed := rover.TakeUntil(source.Observable(), notifier.Observable()).Observe()
	source.Publish("before")
	if item := <-passed; item.V != "before" {
		t.Error(item)
	}
	notifier.Publish("now")
	source.Publish("after")
	for item := range passed {
		t.Error(item)
	}
}

// Subscribers come and go at once: the source is left in the end, and nobody
// sees an item twice or in the wrong order.
func TestShareAmongACrowd(t *testing.T) {
	var subscribed atomic.Int64
	shared := rover.Share(hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		subscribed.Add(1)
		return func(yield func(rxgo.Item) bool) {
			defer subscribed.Add(-1)
			for n := 0; ctx.Err() == nil && yield(rxgo.Of(n)); n++ {
			}
		}
	}, nil))
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for few := range 10 {
				last := -1
				for v, err := range rover.Events[int](t.Context(), shared) {
					if err != nil || v <= last {
						t.Errorf("%d after %d, %v", v, last, err)
					}
					if last = v; few == 0 {
						break
					}
					few--
				}
			}
		})
	}
	running.Wait()
	if n := subscribed.Load(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// Whoever shares a connection has one of their own to say no with.
func TestShareAsksEverybody(t *testing.T) {
	marble.Test(t, func(m *marble.M) {
		closed := hot.NewSubject()
		c := rover.NewConnection("a", kit.A, 3, &socket{closed: func() { closed.Publish("closed") }})
		shared := rover.Share(m.Hot("-c----|", marble.Values{"c": c}))
		for _, when := range []string{"--|", "----|"} {
			m.At(0, func() {
				shared.ForEach(func(v any) {
					if v == c {
						m.Error("a subscriber has the connection of another")
					}
					m.At(m.Time(when), v.(*rover.Connection).Decline)
				}, nil, func() {})
			})
		}
		m.Expect(closed.Observable(), marble.Window("^-----!")).ToBe("----c", marble.Values{"c": "closed"})
	})
}
