package discover_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/goleak"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errOutage = errors.New("outage")

func TestPollStandsTheSuite(t *testing.T) {
	sources.Run(t, func(t testing.TB) *sources.Rig {
		var mu sync.Mutex
		servers, answer, looks := map[string]rover.Server{}, (func(context.Context) error)(nil), 0
		set := func(how func(context.Context) error) {
			mu.Lock()
			defer mu.Unlock()
			answer = how
		}
		return &sources.Rig{
			Open: func(opts ...discover.Option) rxgo.Observable {
				return discover.Poll(func(ctx context.Context) (map[string]rover.Server, time.Duration, error) {
					mu.Lock()
					looks++
					set, how := maps.Clone(servers), answer
					mu.Unlock()
					if how != nil {
						return nil, 0, how(ctx)
					}
					return set, 20 * time.Millisecond, nil
				}, opts...)
			},
			Put: func(s map[string]rover.Server) {
				mu.Lock()
				defer mu.Unlock()
				servers, answer = maps.Clone(s), nil
			},
			Fail: map[string]func(){
				"outage": func() { set(func(context.Context) error { return errOutage }) },
				"panic":  func() { set(func(context.Context) error { panic("look") }) },
				"silence": func() {
					set(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
				},
			},
			Spoil: func(id string) {
				mu.Lock()
				defer mu.Unlock()
				servers[id] = rover.Server{Host: "a b", Port: 99999}
			},
			Looks: func() int { mu.Lock(); defer mu.Unlock(); return looks },
		}
	})
}

func TestGuardStandsTheSuite(t *testing.T) {
	sources.Run(t, func(t testing.TB) *sources.Rig {
		changes := hot.NewSubject()
		t.Cleanup(changes.Complete)
		var mu sync.Mutex
		servers, failure := map[string]rover.Server{}, rxgo.Item{}
		publish := func() {
			set, item := maps.Clone(servers), failure
			if item == (rxgo.Item{}) {
				item = rxgo.Of(set)
			}
			changes.Publish(item)
		}
		fail := func(item rxgo.Item) func() {
			return func() { mu.Lock(); defer mu.Unlock(); failure = item; publish() }
		}
		// a newcomer gets what there is, and an error ends its subscription
		source := hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
			mu.Lock()
			defer mu.Unlock()
			ctx, cancel := context.WithCancel(ctx)
			news := hot.Items(ctx, hot.Lossless(changes.Observable()))
			first := failure
			if first == (rxgo.Item{}) {
				first = rxgo.Of(maps.Clone(servers))
			}
			return func(yield func(rxgo.Item) bool) {
				defer cancel()
				if !yield(first) || first.Error() {
					cancel()
				}
				for item := range news {
					if item, is := item.V.(rxgo.Item); is && (!yield(item) || item.Error()) {
						return
					}
				}
			}
		}, nil)
		return &sources.Rig{
			Open: func(opts ...discover.Option) rxgo.Observable { return discover.Guard(source, opts...) },
			Put: func(s map[string]rover.Server) {
				mu.Lock()
				defer mu.Unlock()
				servers, failure = maps.Clone(s), rxgo.Item{}
				if servers == nil {
					servers = map[string]rover.Server{}
				}
				publish()
			},
			Fail: map[string]func(){"outage": fail(rxgo.Error(errOutage)), "nonsense": fail(rxgo.Of(42))},
			Spoil: func(id string) {
				mu.Lock()
				defer mu.Unlock()
				servers[id] = rover.Server{}
				publish()
			},
			Twice:   func() { mu.Lock(); defer mu.Unlock(); publish(); publish() },
			Restart: func() { fail(rxgo.Error(errOutage))(); mu.Lock(); defer mu.Unlock(); failure = rxgo.Item{} },
		}
	})
}
