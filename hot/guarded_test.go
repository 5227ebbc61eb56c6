package hot_test

import (
	"context"
	"testing"

	"github.com/callosum-go/rover/hot"
)

// A panic of a stage is guard's to recover, and the subscription is gone.
func TestGuarded(t *testing.T) {
	s := hot.NewSubject()
	var recovered any
	guard := func(run func()) {
		defer func() { recovered = recover() }()
		run()
	}
	items := hot.Observe(t.Context(), hot.Guarded(s.Observable().Map(func(_ context.Context, v any) (any, error) {
		if v == 2 {
			panic("odd")
		}
		return v, nil
	}), guard))
	s.Publish(1)
	s.Publish(2)
	if item := <-items; item.V != 1 {
		t.Errorf("got %v", item)
	}
	if item, ok := <-items; ok {
		t.Errorf("got %v behind a panic", item)
	}
	if recovered != "odd" {
		t.Errorf("recovered %v", recovered)
	}
	if n := s.Subscribers(); n != 0 {
		t.Errorf("%d subscribers are left", n)
	}
}
