package roster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/callosum-go/rover/hot"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSetIsAMapWithPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := rapid.MapOf(rapid.StringN(0, 2, 2), rapid.Int()).Draw(t, "first")
		set := Of(model)
		model = maps.Clone(model)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				name, v := rapid.StringN(0, 2, 2).Draw(t, "name"), rapid.Int().Draw(t, "v")
				set.Add(name, v)
				model[name] = v
			},
			"drop": func(t *rapid.T) {
				name := rapid.StringN(0, 2, 2).Draw(t, "name")
				if len(model) > 0 && rapid.Bool().Draw(t, "known") {
					name = rapid.SampledFrom(set.names).Draw(t, "name")
				}
				_, had := model[name]
				if set.Drop(name) != had {
					t.Fatalf("Drop(%q) is not %v", name, had)
				}
				delete(model, name)
			},
			"": func(t *rapid.T) {
				if !maps.Equal(set.All(), model) {
					t.Fatalf("%v, want %v", set.All(), model)
				}
				seen := 0
				for i := range set.Len() {
					v, err := set.Pick(func(int) int { return i })
					if err != nil || v != model[set.names[i]] {
						t.Fatalf("place %d: %v, %v", i, v, err)
					}
					seen++
				}
				if seen != len(model) {
					t.Fatalf("%d places for %d values", seen, len(model))
				}
			},
		})
	})
}

func TestPickTellsWhatIsWrong(t *testing.T) {
	set := Of(map[string]int{"a": 1, "b": 2, "c": 3})
	for _, bad := range []int{-1, 3, 7} {
		_, err := set.Pick(func(int) int { return bad })
		if want := fmt.Sprintf("rover: pick returned %d for 3 servers, want 0 to 2", bad); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Of[int](nil).Pick(func(int) int { panic("asked for nothing") }); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
}

// A server dropped between the choice and the look-up is chosen anew.
func TestPickWhileTheSetShrinks(t *testing.T) {
	set := Of(map[string]int{"a": 1, "b": 2})
	v, err := set.Pick(func(n int) int {
		set.Drop("a")
		set.Drop(set.names[len(set.names)-1])
		set.Add("c", 3)
		return n - 1
	})
	if v != 3 || err != nil {
		t.Error(v, err)
	}
	v, err = set.Pick(func(n int) int { // and it may end with none
		set.Drop("c")
		return 0
	})
	if !errors.Is(err, ErrEmpty) {
		t.Error(v, err)
	}
}

func TestReplaceIsSeenAtOnce(t *testing.T) {
	r := New(map[string]int{"a": 1})
	latest, leave := hot.Latest(context.Background(), r.Sets())
	defer leave()
	for i := range 1000 {
		item, ok := latest()
		if !ok || item.V != r.Set() {
			t.Fatal("not the set in force")
		}
		r.Replace(map[string]int{"a": i, "b": i})
	}
}

func TestManyAtOnce(t *testing.T) {
	r := New(map[string]int{"a": 1, "b": 2})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				name := fmt.Sprint(i % 7)
				switch (i + w) % 4 {
				case 0:
					r.Set().Add(name, i)
				case 1:
					r.Set().Drop(name)
				case 2:
					r.Replace(map[string]int{"a": 1})
				default:
					if _, err := r.Set().Pick(func(n int) int { return n - 1 }); err != nil && !errors.Is(err, ErrEmpty) {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSet(b *testing.B) {
	for _, size := range []int{10, 1_000, 100_000, 1_000_000} {
		values := make(map[string]int, size)
		for i := range size {
			values[fmt.Sprint("server-", i)] = i
		}
		set := Of(values)
		b.Run(fmt.Sprintf("pick/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if _, err := set.Pick(func(n int) int { return i % n }); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("add and drop/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Add("one more", 1)
				set.Drop("one more")
			}
		})
	}
}
