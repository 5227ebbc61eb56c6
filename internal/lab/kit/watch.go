package kit

import (
	"slices"
	"sync"

	"github.com/reactivex/rxgo/v2"
)

// A Watcher collects what a subscriber saw.
type Watcher[T any] struct {
	Done rxgo.Disposed // closed at the end
	mu   sync.Mutex
	all  []T
}

// Watch subscribes with ForEach to items of type T; an error panics.
func Watch[T any](o rxgo.Observable, opts ...rxgo.Option) *Watcher[T] {
	w := &Watcher[T]{}
	w.Done = o.ForEach(func(v any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, v.(T))
	}, func(err error) { panic(err) }, func() {}, opts...)
	return w
}

// Seen is what came so far.
func (w *Watcher[T]) Seen() []T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}
