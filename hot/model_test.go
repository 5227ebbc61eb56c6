package hot_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
	"pgregory.net/rapid"
)

// A model is what a Subject is meant to be, in slices and without goroutines.
type model struct {
	queue         int
	rule          hot.Overflow
	latest        bool
	replay        bool
	each          int // added to a value for each subscriber
	dead          map[int]bool
	kept, dropped []any
	ended         bool
	err           error
	subscribers   []*modelSubscriber
}

type modelSubscriber struct {
	ch     <-chan rxgo.Item
	leave  context.CancelFunc
	size   int
	queue  []any
	closed bool
}

func (m *model) push(sub *modelSubscriber, v any, rule hot.Overflow) bool {
	if len(sub.queue) < sub.size {
		sub.queue = append(sub.queue, v)
		return true
	}
	if rule == hot.DropNewest {
		m.dropped = append(m.dropped, v)
		return false
	}
	m.dropped = append(m.dropped, sub.queue[0])
	sub.queue = append(sub.queue[1:], v)
	return true
}

func (m *model) publish(v int) (took int) {
	if m.ended {
		return 0
	}
	for _, sub := range m.subscribers {
		if !sub.closed && m.push(sub, v+m.each, m.rule) {
			took++
		}
	}
	if m.latest {
		m.kept = nil
	}
	if m.latest || m.replay {
		m.kept = append(m.kept, v)
	}
	return took
}

func (m *model) subscribe(sub *modelSubscriber) {
	m.subscribers = append(m.subscribers, sub)
	for _, v := range m.kept {
		if m.latest || !m.dead[v.(int)] {
			m.push(sub, v.(int)+m.each, m.rule)
		}
	}
	if m.ended {
		m.close(sub)
	}
}

func (m *model) close(sub *modelSubscriber) {
	if m.err != nil {
		m.push(sub, m.err.Error(), hot.DropOldest)
	}
	sub.closed = true
}

func (m *model) end(err error) {
	if m.ended {
		return
	}
	m.ended, m.err = true, err
	for _, sub := range m.subscribers {
		if !sub.closed {
			m.close(sub)
		}
	}
}

func (m *model) leave(sub *modelSubscriber) {
	if !sub.closed {
		m.dropped = append(m.dropped, sub.queue...)
		sub.queue, sub.closed = nil, true
	}
}

func (m *model) live() (n int) {
	for _, sub := range m.subscribers {
		if !sub.closed {
			n++
		}
	}
	return n
}

func TestASubjectIsItsModel(t *testing.T) {
	rapid.Check(t, subjectIsItsModel)
}

func subjectIsItsModel(t *rapid.T) {
	m := &model{
		queue: rapid.IntRange(1, 3).Draw(t, "queue"),
		rule:  rapid.SampledFrom([]hot.Overflow{hot.DropNewest, hot.DropOldest}).Draw(t, "rule"),
		each:  rapid.SampledFrom([]int{0, 1000}).Draw(t, "each"),
		dead:  map[int]bool{},
	}
	var mu sync.Mutex
	var dropped []any
	seen := func() []any {
		mu.Lock()
		defer mu.Unlock()
		// Subscribers are served in no certain order.
		slices.SortFunc(dropped, compare)
		return slices.Clone(dropped)
	}
	opts := []hot.SubjectOption{
		hot.WithDropped(func(v any) {
			mu.Lock()
			defer mu.Unlock()
			dropped = append(dropped, v)
		}),
		hot.WithEach(func(v any) any { return v.(int) + m.each }),
	}
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 1:
		m.latest, m.rule = true, hot.DropOldest
		opts = append(opts, hot.WithLatest())
	case 2:
		m.replay = true
		opts = append(opts, hot.WithReplay(func(v any) bool { return !m.dead[v.(int)] }))
		fallthrough
	default:
		opts = append(opts, hot.WithOverflow(m.rule))
	}
	s := hot.NewSubject(append(opts, hot.WithQueue(m.queue))...)
	defer s.Complete()

	published := 0
	someone := func(t *rapid.T) *modelSubscriber {
		if len(m.subscribers) == 0 {
			t.Skip("nobody has subscribed")
		}
		return rapid.SampledFrom(m.subscribers).Draw(t, "subscriber")
	}
	publish := func(t *rapid.T) {
		published++
		if got, want := s.Publish(published), m.publish(published); got != want {
			t.Fatalf("Publish: %d queues took it, want %d", got, want)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"publish":       publish,
		"publish again": publish, // twice as often as the others
		"subscribe": func(t *rapid.T) {
			ctx, leave := context.WithCancel(context.Background())
			sub := &modelSubscriber{leave: leave, size: m.queue}
			opts := []rxgo.Option{rxgo.WithContext(ctx)}
			if own := rapid.IntRange(0, 2).Draw(t, "buffer"); own > 0 {
				sub.size = own
				opts = append(opts, rxgo.WithBufferedChannel(own))
			}
			sub.ch = s.Observable().Observe(opts...)
			m.subscribe(sub)
		},
		"read": func(t *rapid.T) {
			sub := someone(t)
			select {
			case item, ok := <-sub.ch:
				switch {
				case len(sub.queue) == 0 && (ok || !sub.closed):
					t.Fatalf("read %v, %v, want nothing", item, ok)
				case len(sub.queue) > 0 && (!ok || content(item) != sub.queue[0]):
					t.Fatalf("read %v, %v, want %v", item, ok, sub.queue[0])
				}
			default:
				if len(sub.queue) > 0 || sub.closed {
					t.Fatalf("read nothing, want %v, closed %v", sub.queue, sub.closed)
				}
			}
			sub.queue = sub.queue[min(1, len(sub.queue)):]
		},
		"leave": func(t *rapid.T) {
			sub := someone(t)
			sub.leave()
			m.leave(sub)
			for len(seen()) < len(m.dropped) || s.Subscribers() > m.live() {
				runtime.Gosched() // it leaves on a goroutine of the context's
			}
		},
		"die": func(t *rapid.T) {
			if published > 0 {
				m.dead[rapid.IntRange(1, published).Draw(t, "value")] = true
			}
		},
		"end": func(t *rapid.T) {
			var err error
			if rapid.Bool().Draw(t, "fail") {
				err = errors.New("failed")
			}
			s.Fail(err) // without an error it is Complete
			m.end(err)
		},
		"": func(t *rapid.T) {
			if got, want := s.Subscribers(), m.live(); got != want {
				t.Fatalf("%d subscribers, want %d", got, want)
			}
			slices.SortFunc(m.dropped, compare)
			if got := seen(); !slices.Equal(got, m.dropped) {
				t.Fatalf("dropped: %v, want %v", got, m.dropped)
			}
		},
	})
	for _, sub := range m.subscribers {
		sub.leave()
	}
}

func compare(a, b any) int { return a.(int) - b.(int) }
