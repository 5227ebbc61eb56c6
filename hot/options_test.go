package hot_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

func failing(_ context.Context, v any) (any, error) {
	if v.(int)%2 == 1 {
		return nil, errOdd
	}
	return v, nil
}

// An error strategy holds for the whole subscription, wherever it is given.
func TestAnErrorStrategyIsHonouredWhereverItIsGiven(t *testing.T) {
	goOn := rxgo.WithErrorStrategy(rxgo.ContinueOnError)
	for name, observe := range map[string]func(o rxgo.Observable) <-chan rxgo.Item{
		"to Observe":  func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(failing).Filter(all).Observe(goOn) },
		"to Map":      func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(failing, goOn).Filter(all).Observe() },
		"to Filter":   func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(failing).Filter(all, goOn).Observe() },
		"to Distinct": func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(failing).Distinct(same, goOn).Observe() },
		"to Skip":     func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(failing).Skip(0, goOn).Observe() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject()
				ch := observe(s.Observable())
				publish(s, 1, 4)
				s.Complete()
				equal(t, drain(ch), []any{"odd", 2, "odd", 4})
			})
		})
	}
}

func TestAnErrorEndsTheSubscriptionUnlessItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		ch := s.Observable().Map(failing).Observe()
		publish(s, 1, 4)
		equal(t, drain(ch), []any{"odd"})
		synctest.Wait()
		equal(t, s.Subscribers(), 0)
	})
}

func TestABufferIsTheQueuesSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		three := s.Observable().Observe(rxgo.WithBufferedChannel(3))
		stuck := make(chan struct{})
		var got []any
		done := s.Observable().ForEach(func(v any) { <-stuck; got = append(got, v) },
			func(error) {}, func() {}, rxgo.WithBufferedChannel(2))
		for i := range 9 {
			s.Publish(i)
			synctest.Wait()
		}
		s.Complete()
		close(stuck)
		<-done
		equal(t, drain(three), numbers(0, 2))
		equal(t, got, numbers(0, 2)) // one with the callback, two in the queue
	})
}

// A stage with a pool runs as RxGo's own: the pool is real.
func TestAPoolIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		together := make(chan struct{})
		ch := s.Observable().Map(func(_ context.Context, v any) (any, error) {
			if v == 1 {
				together <- struct{}{}
			} else {
				<-together
			}
			return v, nil
		}, rxgo.WithPool(2)).Observe()
		publish(s, 1, 2) // one worker alone would wait for ever
		s.Complete()
		equal(t, len(drain(ch)), 2)
	})
}

// Eager and publish are for cold sources. A hot one has nothing to start.
func TestEagerAndPublishChangeNothing(t *testing.T) {
	for name, opt := range map[string]rxgo.Option{
		"eager":   rxgo.WithObservationStrategy(rxgo.Eager),
		"publish": rxgo.WithPublishStrategy(),
	} {
		for kind, observe := range map[string]func(o rxgo.Observable) <-chan rxgo.Item{
			"Observe": func(o rxgo.Observable) <-chan rxgo.Item { return o.Observe(opt) },
			"fused":   func(o rxgo.Observable) <-chan rxgo.Item { return o.Skip(0, opt).Observe() },
			"native":  func(o rxgo.Observable) <-chan rxgo.Item { return o.Map(same, opt).Observe() },
			"Retry": func(o rxgo.Observable) <-chan rxgo.Item {
				return o.Retry(1, func(error) bool { return true }, opt).Observe()
			},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := hot.NewSubject()
					ch := observe(s.Observable())
					_, dispose := s.Observable().Connect(t.Context())
					s.Publish(1)
					s.Complete()
					dispose()
					equal(t, drain(ch), []any{1})
				})
			})
		}
	}
}

func TestOptionsWithRoomToSpareAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject()
		o := s.Observable().Map(same, make([]rxgo.Option, 0, 8)...)
		ctx, leave := context.WithCancel(t.Context())
		stays := o.Observe(rxgo.WithContext(t.Context()))
		o.Observe(rxgo.WithContext(ctx))
		leave()
		synctest.Wait()
		s.Publish(1)
		s.Complete()
		equal(t, drain(stays), []any{1})
	})
}

// Nothing is written behind the end of a slice of options that was handed in.
func TestOptionsOfTheCallerAreLeftAlone(t *testing.T) {
	for name, use := range map[string]func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option){
		"Create": func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option) {
			o := hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] { return hot.Items(ctx, s.Observable()) }, nil, opts...)
			o.Observe(more)
			o.BackOffRetry(onlyOnce{}, more).Observe(more)
		},
		"a fused stage": func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option) {
			s.Observable().Skip(0, opts...).Take(9, more).Observe(more)
		},
		"RxGo's own": func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option) {
			s.Observable().Scan(sum, opts...).Filter(all, more).Observe(more)
		},
		"Observe": func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option) { s.Observable().Observe(opts...) },
		"Share": func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option) {
			hot.Share(s.Observable(), opts).Observe(more)
		},
		"Items": func(s *hot.Subject, opts []rxgo.Option, more rxgo.Option) {
			go hot.Items(context.Background(), s.Observable(), opts...)(func(rxgo.Item) bool { return true })
			hot.Items(context.Background(), rxgo.Empty(), opts...)(func(rxgo.Item) bool { return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject()
				opts := append(make([]rxgo.Option, 0, 8), rxgo.WithBufferedChannel(3))
				use(s, opts, rxgo.WithErrorStrategy(rxgo.ContinueOnError))
				s.Complete()
				synctest.Wait()
				for i, opt := range opts[:cap(opts)] {
					if (opt != nil) != (i == 0) {
						t.Errorf("option %d was written over", i)
					}
				}
			})
		})
	}
}

func TestGetToSliceErrorAndErrorsWaitForTheirResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("bad")
		ours, _ := items(rxgo.Of(1), rxgo.Error(bad), rxgo.Of(2))
		got, err := ours.ToSlice(0)
		equal(t, got, numbers(1, 1))
		equal(t, err == bad, true)
		got, err = ours.ToSlice(0, rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		equal(t, got, numbers(1, 2))
		equal(t, err == bad, true)
		equal(t, ours.Error() == bad, true)
		equal(t, len(ours.Errors()), 1)

		item, err := ours.Last(rxgo.WithErrorStrategy(rxgo.ContinueOnError)).Get()
		equal(t, content(item), any("bad"))
		equal(t, err, error(nil))

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = hot.NewSubject().Observable().First().Get(rxgo.WithContext(ctx))
		equal(t, err == context.Canceled, true)
		equal(t, ours.Error(rxgo.WithContext(ctx)) == context.Canceled, true)
		equal(t, len(ours.Errors(rxgo.WithContext(ctx))), 1)
	})
}
