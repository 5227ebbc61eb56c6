package marble

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/reactivex/rxgo/v2"
)

// BenchmarkThousandFrames runs one test of a thousand frames with 500 values through ten
// operators: those that hot fuses, and RxGo's own, which are a goroutine each.
func BenchmarkThousandFrames(b *testing.B) {
	add := func(_ context.Context, v any) (any, error) { return v.(int) + 1, nil }
	last := func(_ context.Context, _, v any) (any, error) { return v, nil }
	for name, stage := range map[string]func(rxgo.Observable) rxgo.Observable{
		"fused": func(o rxgo.Observable) rxgo.Observable { return o.Map(add) },
		"rxgo":  func(o rxgo.Observable) rxgo.Observable { return o.Scan(last) },
	} {
		source, want := strings.Repeat("a-", 499)+"a|", strings.Repeat("b-", 499)+"b|"
		values := Values{"a": 1, "b": 1}
		if name == "fused" {
			values["b"] = 11
		}
		b.Run(name, func(b *testing.B) {
			within(b, func(t *testing.T) {
				for b.Loop() {
					Test(t, func(m *M) {
						var o rxgo.Observable = m.Hot(source, values)
						for range 10 {
							o = stage(o)
						}
						m.Expect(o).ToBe(want, values)
					})
				}
			})
		})
	}
}

// within runs f in a test, which is what a bubble belongs to: once, whatever -cpu says.
func within(b *testing.B, f func(t *testing.T)) {
	var once sync.Once
	all := func(_, _ string) (bool, error) { return true, nil }
	test := testing.InternalTest{Name: b.Name(), F: func(t *testing.T) { once.Do(func() { f(t) }) }}
	if !testing.RunTests(all, []testing.InternalTest{test}) {
		b.Fatal("the test failed")
	}
}

func BenchmarkParse(b *testing.B) {
	diagram := strings.Repeat("a-(bc)-- 9ms ", 100) + "|"
	b.SetBytes(int64(len(diagram)))
	for b.Loop() {
		if _, err := Parse(diagram); err != nil {
			b.Fatal(err)
		}
	}
}
