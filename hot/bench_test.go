package hot_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// One event to n subscribers, each behind a Filter and a ForEach. Queues are
// as large as the burst, so that all of it is delivered.
func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{1, 3, 10, 100} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			s := hot.NewSubject(hot.WithQueue(1024))
			var got atomic.Int64
			done := make([]rxgo.Disposed, n)
			for i := range done {
				done[i] = s.Observable().Filter(all).ForEach(func(any) { got.Add(1) }, func(error) {}, func() {})
			}
			b.ReportAllocs()
			published := int64(0)
			for b.Loop() {
				s.Publish(b)
				if published++; published%512 == 0 {
					settleDown(&got, published*int64(n))
				}
			}
			settleDown(&got, published*int64(n))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(published)/float64(n), "ns/delivery")
			s.Complete()
			for _, d := range done {
				<-d
			}
		})
	}
}

func settleDown(got *atomic.Int64, want int64) {
	for got.Load() < want {
		runtime.Gosched()
	}
}

func BenchmarkSubscribeAndLeave(b *testing.B) {
	b.Run("with a context", func(b *testing.B) {
		s := hot.NewSubject()
		b.ReportAllocs()
		for b.Loop() {
			ctx, cancel := context.WithCancel(context.Background())
			done := s.Observable().Filter(all).ForEach(func(any) {}, func(error) {}, func() {}, rxgo.WithContext(ctx))
			cancel()
			<-done
		}
	})
	b.Run("by Take", func(b *testing.B) {
		s := hot.NewSubject()
		b.ReportAllocs()
		for b.Loop() {
			done := s.Observable().Take(1).DoOnNext(func(any) {})
			s.Publish(b)
			<-done
		}
	})
}

// What an item costs from the source to the reader of an Observe channel.
func BenchmarkObserve(b *testing.B) {
	b.Run("Subject", func(b *testing.B) {
		s := hot.NewSubject()
		ch := s.Observable().Observe()
		b.ReportAllocs()
		for b.Loop() {
			s.Publish(b)
			<-ch
		}
		s.Complete()
	})
	b.Run("FromEventSource", func(b *testing.B) {
		source := make(chan rxgo.Item, hot.DefaultQueue)
		ch := rxgo.FromEventSource(source).Observe(rxgo.WithBufferedChannel(hot.DefaultQueue))
		b.ReportAllocs()
		for b.Loop() {
			source <- rxgo.Of(b)
			<-ch
		}
		close(source)
	})
}

// Four stages: one goroutine of ours, four of RxGo's.
func BenchmarkStages(b *testing.B) {
	for name, of := range map[string]func(ch chan rxgo.Item, s *hot.Subject) (rxgo.Observable, func()){
		"fused": func(_ chan rxgo.Item, s *hot.Subject) (rxgo.Observable, func()) {
			return s.Observable(), func() { s.Publish(1) }
		},
		"RxGo's": func(ch chan rxgo.Item, _ *hot.Subject) (rxgo.Observable, func()) {
			return rxgo.FromChannel(ch), func() { ch <- rxgo.Of(1) }
		},
	} {
		b.Run(name, func(b *testing.B) {
			ch, s := make(chan rxgo.Item, hot.DefaultQueue), hot.NewSubject()
			o, emit := of(ch, s)
			out := o.Filter(all).Map(same).Filter(all).Map(same).Observe()
			b.ReportAllocs()
			for b.Loop() {
				emit()
				<-out
			}
			close(ch)
			s.Complete()
		})
	}
}

// One Map beside what it takes at least: a channel, a goroutine, and a channel.
func BenchmarkOneMap(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		in, out := make(chan rxgo.Item, hot.DefaultQueue), make(chan rxgo.Item, hot.DefaultQueue)
		go func() {
			defer close(out)
			for item := range in {
				v, _ := same(b.Context(), item.V)
				out <- rxgo.Of(v)
			}
		}()
		pump(b, func() { in <- rxgo.Of(b) }, out)
		close(in)
	})
	b.Run("Map", func(b *testing.B) {
		s := hot.NewSubject()
		out := s.Observable().Map(same).Observe()
		pump(b, func() { s.Publish(b) }, out)
		s.Complete()
	})
}

// pump has as many items under way as fit a queue.
func pump(b *testing.B, emit func(), out <-chan rxgo.Item) {
	b.ReportAllocs()
	under := 0
	for b.Loop() {
		emit()
		if under++; under == hot.DefaultQueue {
			for ; under > 0; under-- {
				<-out
			}
		}
	}
	for ; under > 0; under-- {
		<-out
	}
}

// The memory of idle subscribers: heap and stacks, a subscription.
func BenchmarkMemory(b *testing.B) {
	const n = 1000
	for name, subscribe := range map[string]func(o rxgo.Observable){
		"Filter and ForEach": func(o rxgo.Observable) {
			o.Filter(all).ForEach(func(any) {}, func(error) {}, func() {})
		},
		"Observe": func(o rxgo.Observable) { o.Observe() },
	} {
		b.Run(name, func(b *testing.B) {
			var bytes float64
			for b.Loop() {
				s := hot.NewSubject()
				before := inUse()
				for range n {
					subscribe(s.Observable())
				}
				publish(s, 1, 3)                                         // stacks have grown to what they need
				bytes = max(bytes, (float64(inUse())-float64(before))/n) // later rounds reuse stacks
				s.Complete()
			}
			b.ReportMetric(bytes, "B/subscription")
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
