package hot_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

const many = 3000 // many more than a queue of 2 and all channels behind it hold

// lossless are the ways to a queue that grows; s is a Subject of small queues.
var lossless = map[string]func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable){
	"WithGrowingQueue": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2), hot.WithGrowingQueue())...)
		return s, s.Observable()
	},
	"Lossless": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Lossless(s.Observable())
	},
	"Lossless of fused stages": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Lossless(s.Observable().Filter(all).Map(same))
	},
	"fused stages of Lossless": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Lossless(s.Observable()).Filter(all).Map(same)
	},
	"RxGo's own of Lossless": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Lossless(s.Observable()).Distinct(same)
	},
	"Lossless of FlatMap": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Lossless(s.Observable().FlatMap(just))
	},
	"Lossless of Share": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Lossless(hot.Share(s.Observable().Filter(all), nil, hot.WithQueue(2)))
	},
	"Share with WithGrowingQueue": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		return s, hot.Share(s.Observable(), nil, hot.WithQueue(2), hot.WithGrowingQueue())
	},
	"Lossless of Share of Share": func(opts ...hot.SubjectOption) (*hot.Subject, rxgo.Observable) {
		s := hot.NewSubject(append(opts, hot.WithQueue(2))...)
		inner := hot.Share(s.Observable(), nil, hot.WithQueue(2))
		return s, hot.Lossless(hot.Share(inner, nil, hot.WithQueue(2)))
	},
}

func TestAGrowingQueueLosesNothing(t *testing.T) {
	failed := errors.New("failed")
	for name, of := range lossless {
		for how, end := range map[string]error{"completes": nil, "fails": failed} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					given := 0
					s, o := of(hot.WithDropped(func(any) { given++ }))
					late := o.Observe()
					var called []any
					release := make(chan struct{})
					done := o.ForEach(func(v any) { <-release; called = append(called, v) },
						func(err error) { called = append(called, err.Error()) }, func() {})
					publish(s, 1, many) // and nobody reads
					s.Fail(end)         // without an error it is Complete
					synctest.Wait()
					close(release)
					<-done
					want := numbers(1, many)
					if end != nil {
						want = append(want, "failed")
					}
					got := drain(late)
					if end != nil && name == "Lossless of FlatMap" { // the error comes while an inner source is read
						// each may have been at an inner source that had not emitted yet
						if kept := given + len(got) + len(called) - 2 - 2*many; kept < -2 || kept > 0 {
							t.Errorf("%d values are lost without a word", -kept)
						}
						given = 0
						equal(t, got[:len(got)-1], want[:len(got)-1])
						got, called = want, append(want[:many:many], called[len(called)-1])
					}
					equal(t, got, want)
					equal(t, called, want)
					equal(t, given, 0)
					synctest.Wait()
					equal(t, goroutines(), 0)
				})
			})
		}
	}
}

// One that may lose comes first; Share's own queue grows with the second.
func TestShareMissesNothingForALaterLosslessSubscriber(t *testing.T) {
	for name, wrap := range map[string]func(rxgo.Observable) rxgo.Observable{
		"a Subject": func(o rxgo.Observable) rxgo.Observable { return o },
		"stages":    func(o rxgo.Observable) rxgo.Observable { return o.Filter(all).FlatMap(just) },
		"RxGo's":    func(o rxgo.Observable) rxgo.Observable { return o.Distinct(same) },
		"a Share":   func(o rxgo.Observable) rxgo.Observable { return hot.Share(o, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := hot.NewSubject(hot.WithQueue(2))
				shared := hot.Share(wrap(s.Observable()), nil, hot.WithQueue(2))
				lossy := shared.Observe()
				ch := hot.Lossless(shared).Observe()
				publish(s, 1, many)
				s.Complete()
				equal(t, drain(ch), numbers(1, many))
				if n := len(drain(lossy)); n == many {
					t.Errorf("a queue of 2 kept all %d", n)
				}
			})
		})
	}
}

func TestLosslessOfAForeignSourceIsThatSource(t *testing.T) {
	source := rxgo.Just(1, 2)()
	if hot.Lossless(source) != source {
		t.Error("it is another one")
	}
}

// Readers and publishers at once: the queue is refilled whatever they do.
func TestAGrowingQueueUnderWay(t *testing.T) {
	const publishers, each = 4, 5000
	for name, of := range lossless {
		t.Run(name, func(t *testing.T) {
			s, o := of()
			ch := o.Observe()
			var group sync.WaitGroup
			for p := range publishers {
				group.Go(func() {
					for i := range each {
						s.Publish(p*each + i)
						if i%97 == 0 {
							runtime.Gosched()
						}
					}
				})
			}
			next := map[int]int{}
			for range publishers * each {
				v := (<-ch).V.(int)
				if p := v / each; next[p] != v%each {
					t.Fatalf("publisher %d: got %d, want %d", p, v%each, next[p])
				}
				next[v/each]++
			}
			group.Wait()
			s.Complete()
			equal(t, drain(ch), []any(nil))
		})
	}
}

func TestALeaverOfAGrowingQueueDropsItsBacklog(t *testing.T) {
	for name, end := range map[string]func(s *hot.Subject){
		"before the end": func(*hot.Subject) {},
		"after the end":  (*hot.Subject).Complete,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dropped []any
				s := hot.NewSubject(hot.WithQueue(2), hot.WithGrowingQueue(),
					hot.WithOverflowed(func(v any) { t.Errorf("overflowed: %v", v) }),
					hot.WithDropped(func(v any) { dropped = append(dropped, v) }))
				ctx, cancel := context.WithCancel(t.Context())
				stuck := make(chan struct{})
				done := s.Observable().DoOnNext(func(any) { <-stuck }, rxgo.WithContext(ctx))
				publish(s, 1, 100)
				synctest.Wait()
				end(s)
				cancel()
				synctest.Wait()
				equal(t, dropped, numbers(2, 100))
				equal(t, s.Subscribers(), 0)
				close(stuck)
				<-done
				equal(t, dropped, numbers(2, 100))
			})
		})
	}
}

// A subscriber that comes after the end, with more kept than its queue holds.
func TestANewcomerToAGrowingQueueAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost losses
		s := hot.NewSubject(append(lost.hooks(), hot.WithQueue(2), hot.WithGrowingQueue(), hot.WithReplay(all))...)
		publish(s, 1, 100)
		s.Fail(errors.New("failed"))
		equal(t, drain(s.Observable().Observe()), append(numbers(1, 100), "failed"))

		ctx, cancel := context.WithCancel(t.Context())
		s.Observable().Observe(rxgo.WithContext(ctx)) // never read
		stuck := make(chan struct{})
		done := s.Observable().DoOnNext(func(any) { <-stuck }, rxgo.WithContext(ctx))
		synctest.Wait()
		cancel()
		synctest.Wait()
		equal(t, goroutines(), 1) // the one in the callback
		equal(t, len(lost.Dropped), 199)
		close(stuck)
		<-done
	})
}

func TestTheNewestOfAGrowingQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hot.NewSubject(hot.WithQueue(2), hot.WithGrowingQueue())
		ch := hot.Newest(t.Context(), hot.Lossless(s.Observable()))
		latest, leave := hot.Latest(t.Context(), hot.Lossless(s.Observable()))
		publish(s, 1, 100)
		item, _ := latest()
		equal(t, item.V, any(100))
		leave()
		s.Complete()
		equal(t, drain(ch), numbers(99, 100))
	})
}

// A backlog that was drained has given back its memory, and so has what was
// read of one that is still there.
func TestADrainedBacklogIsGivenBack(t *testing.T) {
	const n, size = 100, 1 << 20
	s := hot.NewSubject(hot.WithQueue(2), hot.WithGrowingQueue())
	defer s.Complete()
	next := make(chan struct{})
	got := make(chan struct{})
	s.Observable().DoOnNext(func(any) { <-next; got <- struct{}{} })
	before := inUse()
	for range n {
		s.Publish(make([]byte, size))
	}
	if grown := inUse() - before; grown < n*size/2 {
		t.Fatalf("the backlog takes %d bytes only", grown)
	}
	for range n - 10 {
		next <- struct{}{}
		<-got
	}
	if left := int64(inUse()) - int64(before); left > 20*size {
		t.Errorf("%d bytes are left with 10 values of %d bytes each", left, size)
	}
	for range 10 {
		next <- struct{}{}
		<-got
	}
	for range 200_000 { // small values, but a long backlog
		s.Publish(1)
	}
	long := inUse()
	for range 200_000 {
		next <- struct{}{}
		<-got
	}
	if left := int64(inUse()) - int64(before); left > int64(long-before)/2 {
		t.Errorf("%d bytes are left of a backlog of %d", left, long-before)
	}
}

// The reader empties the queue just while a publisher finds it full. Nobody
// else comes who could wake it.
func TestTheLastOfABacklogIsNotForgotten(t *testing.T) {
	s := hot.NewSubject(hot.WithQueue(1), hot.WithGrowingQueue())
	defer s.Complete()
	var got atomic.Int64
	s.Observable().DoOnNext(func(any) { got.Add(1) })
	published := int64(0)
	for round := range 60_000 {
		for range 3 + round%20 {
			s.Publish(round)
			published++
		}
		for spin := 0; got.Load() < published; spin++ {
			if spin > 5_000_000 {
				t.Fatalf("round %d: the reader waits, and there is a backlog", round)
			}
			runtime.Gosched()
		}
	}
}

// Once a backlog is drained, a publication is as cheap as before it.
func TestADrainedBacklogCostsNothing(t *testing.T) {
	s := hot.NewSubject(hot.WithQueue(2), hot.WithGrowingQueue())
	defer s.Complete()
	got := make(chan struct{})
	s.Observable().DoOnNext(func(any) { got <- struct{}{} })
	publish(s, 1, 100)
	for range 100 {
		<-got
	}
	if allocs := testing.AllocsPerRun(100, func() { s.Publish(1); <-got }); allocs > 0 {
		t.Errorf("%v allocations a publication", allocs)
	}
}
