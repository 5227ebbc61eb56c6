package hot_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// milk keeps for a while, and begun says when its turns came.
type milk struct {
	sour  chan struct{}
	mu    sync.Mutex
	begun []time.Time
}

func milkFor(d time.Duration) *milk {
	m := &milk{sour: make(chan struct{})}
	time.AfterFunc(d, func() { close(m.sour) })
	return m
}

func (m *milk) over() bool {
	select {
	case <-m.sour:
		return true
	default:
		return false
	}
}

func perishable() hot.SubjectOption {
	return hot.WithPerishable(func(v any) bool {
		m := v.(*milk)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.begun = append(m.begun, time.Now())
		return !m.over()
	}, func(v any) <-chan struct{} { return v.(*milk).sour })
}

func mapped(_ context.Context, v any) (any, error) { return v.(*milk).sour, nil }

// perishing are the ways to read what perishes. Each returns a channel of what
// the subscriber got.
var perishing = map[string]func(o rxgo.Observable) <-chan rxgo.Item{
	"Observe":                 func(o rxgo.Observable) <-chan rxgo.Item { return o.Observe() },
	"Observe with a buffer":   func(o rxgo.Observable) <-chan rxgo.Item { return o.Observe(rxgo.WithBufferedChannel(20)) },
	"Observe behind a Filter": func(o rxgo.Observable) <-chan rxgo.Item { return o.Filter(all).Observe() },
	"Observe behind a Map": func(o rxgo.Observable) <-chan rxgo.Item {
		return o.Map(mapped).Filter(all).Observe(rxgo.WithBufferedChannel(20))
	},
	"Observe, lossless": func(o rxgo.Observable) <-chan rxgo.Item { return hot.Lossless(o).Observe() },
	"Newest":            func(o rxgo.Observable) <-chan rxgo.Item { return hot.Newest(context.Background(), o) },
	"Send": func(o rxgo.Observable) <-chan rxgo.Item {
		out := make(chan rxgo.Item)
		o.Send(out)
		return out
	},
}

func TestNothingThatIsOverIsDelivered(t *testing.T) {
	for name, subscribe := range perishing {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lost losses
				s := hot.NewSubject(append(lost.hooks(), perishable())...)
				ch := subscribe(s.Observable())
				var published []*milk
				for i := range 10 { // 1 to 10 s
					m := milkFor(time.Duration(i+1) * time.Second)
					published = append(published, m)
					s.Publish(m)
				}
				time.Sleep(5*time.Second + time.Millisecond)
				synctest.Wait()
				equal(t, len(lost.Dropped), 5)
				for i, v := range lost.Dropped {
					if v != any(published[i]) {
						t.Errorf("dropped %v, want the value number %d", v, i)
					}
				}
				item := <-ch
				if m, mapped := published[5], published[5].sour; item.V != any(m) && item.V != any(mapped) {
					t.Errorf("got %v, want the sixth", item.V)
				}
				synctest.Wait()
				s.Complete()
				for item := range ch {
					m, ok := item.V.(*milk)
					if sour, is := item.V.(chan struct{}); is {
						m, ok = &milk{sour: sour}, true
					}
					if !ok || m.over() {
						t.Errorf("got %v", item.V)
					}
				}
				equal(t, len(lost.Dropped), 5)
			})
		})
	}
}

// A deadline runs from delivery: a value's turn comes once more when it is
// read after a wait, and only then.
func TestAValueBeginsAgainWhenItHadToWait(t *testing.T) {
	for name, chain := range map[string]func(o rxgo.Observable) rxgo.Observable{
		"of the Subject": func(o rxgo.Observable) rxgo.Observable { return o },
		"of a Map":       func(o rxgo.Observable) rxgo.Observable { return o.Map(mapped) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject(perishable())
				ch := chain(s.Observable()).Observe()
				start := time.Now()
				first, next := milkFor(time.Hour), milkFor(time.Hour)
				s.Publish(first)
				time.Sleep(3 * time.Second)
				<-ch
				synctest.Wait()
				equal(t, first.begun, []time.Time{start, start.Add(3 * time.Second)})

				go func() { time.Sleep(time.Second); s.Publish(next) }()
				<-ch // the reader waits, the value does not
				synctest.Wait()
				equal(t, next.begun, []time.Time{start.Add(4 * time.Second)})
				s.Complete()
			})
		})
	}
}

// Callbacks and loops: the turn comes when they are about to run, and what is
// over is skipped.
func TestWhatIsOverIsSkipped(t *testing.T) {
	for name, run := range map[string]func(o rxgo.Observable, next func(any)) <-chan struct{}{
		"ForEach": func(o rxgo.Observable, next func(any)) <-chan struct{} {
			return o.ForEach(next, func(error) {}, func() {})
		},
		"Items": func(o rxgo.Observable, next func(any)) <-chan struct{} {
			items, done := hot.Items(context.Background(), o), make(chan struct{})
			go func() {
				defer close(done)
				for item := range items {
					next(item.V)
				}
			}()
			return done
		},
		"Share": func(o rxgo.Observable, next func(any)) <-chan struct{} {
			return hot.Share(o, nil, perishable()).ForEach(next, func(error) {}, func() {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lost losses
				s := hot.NewSubject(append(lost.hooks(), perishable())...)
				var got []any
				done := run(s.Observable(), func(v any) {
					time.Sleep(2 * time.Second)
					got = append(got, v)
				})
				a, b, c := milkFor(time.Hour), milkFor(time.Second), milkFor(time.Hour)
				for _, m := range []*milk{a, b, c} {
					s.Publish(m)
				}
				s.Complete()
				<-done
				equal(t, len(got), 2)
				if got[0] != any(a) || got[1] != any(c) {
					t.Error("others than the first and the last")
				}
				if name != "Share" { // whose own hooks get it
					equal(t, len(lost.Dropped), 1)
				}
			})
		})
	}
}

func TestLatestOfPerishableValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject(perishable())
		latest, leave := hot.Latest(t.Context(), s.Observable())
		m := milkFor(time.Hour)
		s.Publish(m)
		synctest.Wait()
		item, ok := latest()
		equal(t, ok, true)
		if item.V != any(m) {
			t.Errorf("got %v", item.V)
		}
		equal(t, len(m.begun), 1)
		leave()
		equal(t, s.Subscribers(), 0)
	})
}

// At the end nothing waits but an error, which is not to be missed. Values are
// the Subject's own, whatever a Map made of them.
func TestTheEndOfPerishableValues(t *testing.T) {
	for name, chain := range map[string]func(o rxgo.Observable) rxgo.Observable{
		"of the Subject": func(o rxgo.Observable) rxgo.Observable { return o },
		"of a Map":       func(o rxgo.Observable) rxgo.Observable { return o.Map(mapped) },
	} {
		for how, end := range map[string]error{"completes": nil, "fails": errors.New("failed")} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var lost losses
					s := hot.NewSubject(append(lost.hooks(), perishable())...)
					ch := chain(s.Observable()).Observe()
					ctx, cancel := context.WithCancel(t.Context())
					chain(s.Observable()).Observe(rxgo.WithContext(ctx)) // never read
					for range 5 {
						s.Publish(milkFor(time.Hour))
					}
					synctest.Wait()
					s.Fail(end)
					synctest.Wait()
					equal(t, len(lost.Overflowed), 10)
					for _, v := range lost.Overflowed {
						_ = v.(*milk)
					}
					equal(t, len(lost.Dropped), 0)
					if end == nil {
						equal(t, drain(ch), []any(nil))
						equal(t, goroutines(), 0)
					} else {
						equal(t, drain(ch), []any{"failed"})
					}
					cancel()
					synctest.Wait()
					equal(t, goroutines(), 0)
				})
			})
		}
	}
}

func TestHalfOfPerishable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, opt := range []hot.SubjectOption{
			hot.WithPerishable(nil, func(any) <-chan struct{} { return nil }),
			hot.WithPerishable(all, nil),
			hot.WithPerishable(nil, nil),
		} {
			s := hot.NewSubject(opt)
			ch := s.Observable().Observe()
			publish(s, 1, 2)
			time.Sleep(time.Hour)
			equal(t, read(ch, 2), numbers(1, 2))
			s.Complete()
		}
	})
}
