package whole_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/reactivex/rxgo/v2"
)

// Whoever got a connection declines it, or leaves: with a KeepTimeout of an
// hour none may stay open.
func TestOperatorsConserve(t *testing.T) {
	for name, apply := range map[string]func(rxgo.Observable) rxgo.Observable{
		"none":  func(o rxgo.Observable) rxgo.Observable { return o },
		"Merge": func(o rxgo.Observable) rxgo.Observable { return rover.Merge([]rxgo.Observable{o, o}) },
		"Share": func(o rxgo.Observable) rxgo.Observable { return rover.Share(o) },
		"Accept": func(o rxgo.Observable) rxgo.Observable {
			return rover.Accept(o, func(v any) bool { return v.(*rover.Connection).Slot%2 == 0 })
		},
		"Partition": func(o rxgo.Observable) rxgo.Observable {
			yes, no := rover.Partition(o, func(v any) bool { return v.(*rover.Connection).Slot%2 == 0 })
			return rover.Merge([]rxgo.Observable{yes, no})
		},
		"TakeUntil": func(o rxgo.Observable) rxgo.Observable {
			return rover.TakeUntil(o, rover.Interval(time.Millisecond).Skip(1))
		},
		"WithLatestFrom": func(o rxgo.Observable) rxgo.Observable {
			return rover.WithLatestFrom(o, rover.Interval(time.Millisecond), first)
		},
		"MergeMap 1": func(o rxgo.Observable) rxgo.Observable {
			return rover.MergeMap(o, 1, func(i rxgo.Item) rxgo.Observable { return single(i.V) })
		},
		"MergeMap": func(o rxgo.Observable) rxgo.Observable {
			return rover.MergeMap(o, 0, func(i rxgo.Item) rxgo.Observable { return single(i.V) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}), rover.WithInterval(20*time.Microsecond), rover.WithKeepTimeout(time.Hour))
			s.Connections().ForEach(kit.Decline, nil, func() {})
			kit.Start(t, s)
			shared := apply(s.Connections())
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for i := range 25 {
						ctx, cancel := context.WithTimeout(context.Background(), rand.N(2*time.Millisecond))
						switch i % 3 {
						case 0:
							<-shared.ForEach(kit.Decline, func(error) {}, func() {}, rxgo.WithContext(ctx))
						case 1:
							<-shared.Take(2).ForEach(kit.Decline, func(error) {}, func() {}, rxgo.WithContext(ctx))
						case 2:
							for c := range rover.Events[*rover.Connection](ctx, shared) {
								c.Decline()
								if rand.IntN(3) == 0 {
									break
								}
							}
						}
						cancel()
					}
				})
			}
			wg.Wait()
			for range 500 {
				n := s.Stats()
				if n.Open <= 2 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if n := s.Stats(); n.Open > 5 {
				t.Errorf("offers are left open: %+v", n)
			}
			s.Stop()
		})
	}
}

// Share under joins and leaves: no subscription and no goroutine when all have
// left.
func TestShareRefcount(t *testing.T) {
	var now atomic.Int64
	ends := atomic.Bool{}
	source := hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		now.Add(1)
		return func(yield func(rxgo.Item) bool) {
			defer now.Add(-1)
			for i := 0; ctx.Err() == nil && yield(rxgo.Of(i)); i++ {
				if ends.Load() && i == 20 {
					return
				}
				runtime.Gosched()
			}
		}
	}, nil)
	before := runtime.NumGoroutine()
	shared := rover.Share(source)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				ends.Store(i%2 == 0)
				switch (i + g) % 3 {
				case 0:
					<-shared.Take(uint(1 + rand.IntN(3))).Run()
				case 1:
					ctx, cancel := context.WithTimeout(context.Background(), rand.N(200*time.Microsecond))
					<-shared.Run(rxgo.WithContext(ctx))
					cancel()
				case 2:
					for range rover.Events[int](context.Background(), shared) {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	if now.Load() != 0 {
		t.Error(now.Load(), "subscriptions are left")
	}
	for range 500 {
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Error(n, "goroutines are left")
	}
}

// Stop from everywhere, while Start, with contexts that end.
func TestStartStopRaces(t *testing.T) {
	for range 100 {
		sets := hot.NewSubject(hot.WithLatest())
		sets.Publish(kit.One)
		s := kit.Rove(t, rover.WithDialer(&kit.SlotDialer{}), rover.WithInterval(10*time.Microsecond), rover.WithServerSets(sets.Observable()),
			rover.WithKeepTimeout(time.Microsecond*50), rover.WithDialTimeout(50*time.Microsecond))
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.Start(ctx) })
		wg.Go(func() { time.Sleep(rand.N(300 * time.Microsecond)); cancel() })
		wg.Go(func() { time.Sleep(rand.N(500 * time.Microsecond)); s.Stop(); kit.Conserved(t, s) })
		wg.Go(func() { sets.Publish(kit.One) })
		<-s.Connections().ForEach(func(v any) {
			if rand.IntN(2) == 0 {
				v.(*rover.Connection).Decline()
			} else if c, err := v.(*rover.Connection).Keep(); err == nil {
				c.Close()
			}
			if rand.IntN(20) == 0 {
				s.Stop()
			}
		}, nil, func() {})
		wg.Wait()
		s.Stop()
		if n := s.Stats(); n.Open != 0 || n.InFlight != 0 {
			t.Errorf("%+v", n)
		}
	}
}
