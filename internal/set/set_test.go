package set

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSetIsAMapWithPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := rapid.MapOf(rapid.StringN(0, 2, 2), rapid.Int()).Draw(t, "first")
		set := of(model)
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
					name = rapid.SampledFrom(order(set)).Draw(t, "entry").Name
				}
				_, had := model[name]
				if _, dropped := set.Drop(name); dropped != had {
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
					e, err := set.Pick(func(int) int { return i })
					if v, ok := model[e.Name]; err != nil || !ok || v != e.Value {
						t.Fatalf("place %d: %v, %v", i, e, err)
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
	set := of(map[string]int{"a": 1, "b": 2, "c": 3})
	for _, bad := range []int{-1, 3, 7} {
		_, err := set.Pick(func(int) int { return bad })
		if want := fmt.Sprintf("rover: pick returned %d for 3 servers, want 0 to 2", bad); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := (&Set[int]{}).Pick(func(int) int { panic("asked for nothing") }); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
}

// A server dropped between the choice and the look-up is chosen anew.
func TestPickWhileTheSetShrinks(t *testing.T) {
	set := of(map[string]int{"a": 1, "b": 2})
	v, err := set.Pick(func(n int) int {
		set.Drop("a")
		set.Drop("b")
		set.Add("c", 3)
		return n - 1
	})
	if v.Value != 3 || err != nil {
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

// A set that is published again and again is merged, not rebuilt: what is equal
// does not move and costs no allocation.
func TestMergingAnEqualSetCostsNothing(t *testing.T) {
	values := map[string]int{}
	for i := range 1000 {
		values[fmt.Sprint(i)] = i
	}
	set := of(values)
	before := order(set)
	check := func(string, int) error { t.Error("what is in force is checked again"); return nil }
	if n := testing.AllocsPerRun(10, func() { set.Merge(values, check) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	values["7"] = -7
	set.Merge(values, func(string, int) error { return nil })
	after := order(set)
	at := slices.IndexFunc(before, func(e Entry[int]) bool { return e.Name == "7" })
	before[at].Value = -7
	if !slices.Equal(before, after) {
		t.Error("one changed value moved others")
	}
}

// Random sets one after the other, some of whose values are wrong.
func TestMergeIsAReplacementWithoutTheWrongOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := &Set[int]{}
		model := map[string]int{}
		check := func(name string, v int) error {
			if v%5 == 0 {
				return fmt.Errorf("%s is %d", name, v)
			}
			return nil
		}
		sets := rapid.MapOf(rapid.StringMatching("[a-c][a-d]?"), rapid.IntRange(0, 7))
		for range rapid.IntRange(1, 8).Draw(t, "sets") {
			values := sets.Draw(t, "values")
			want, added, dropped, wrong := map[string]int{}, map[string]int{}, maps.Clone(model), []string{}
			for name, v := range values {
				old, had := model[name]
				switch {
				case had && old == v:
					want[name] = v
					delete(dropped, name)
				case v%5 == 0:
					wrong = append(wrong, fmt.Sprintf("%s is %d", name, v))
					if delete(dropped, name); had {
						want[name] = old
					}
				default:
					want[name], added[name] = v, v
				}
			}
			slices.Sort(wrong)
			a, d, err := set.Merge(values, check)
			model = want
			if got := set.All(); !maps.Equal(got, want) {
				t.Fatalf("in force %v, want %v", got, want)
			}
			if got := asMap(a); !maps.Equal(got, added) || len(a) != len(added) {
				t.Fatalf("added %v, want %v", a, added)
			}
			if got := asMap(d); !maps.Equal(got, dropped) || len(d) != len(dropped) {
				t.Fatalf("dropped %v, want %v", d, dropped)
			}
			if text := strings.Join(wrong, "\n"); (err == nil) != (text == "") || err != nil && err.Error() != text {
				t.Fatalf("error %v, want %s", err, text)
			}
		}
	})
}

// A copy is of one moment, however much is written while it is made.
func TestACopyIsOfOneMoment(t *testing.T) {
	set := &Set[int]{}
	const n = 3 * blockSize
	for i := range n {
		set.Add(fmt.Sprint(i), 0)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for round := 1; round < 200; round++ {
			values := map[string]int{}
			for i := range n - round%2 { // one leaves, and comes back
				values[fmt.Sprint(i)] = round
			}
			set.Merge(values, func(string, int) error { return nil })
		}
	}()
	for range 200 {
		all := set.All()
		for name, v := range all {
			if v != all["0"] || len(all) < n-1 {
				t.Fatalf("%d values, %s is %d where 0 is %d", len(all), name, v, all["0"])
			}
		}
	}
	<-done
}

// What was dropped is given back.
func TestAnEmptiedSetIsSmall(t *testing.T) {
	set := &Set[int]{}
	for round := range 2 {
		for i := range 5000 {
			set.Add(fmt.Sprint(i), i)
		}
		for i := range 4990 {
			set.Drop(fmt.Sprint(i))
		}
		if set.most > 1024 || len(set.blocks) > 2 {
			t.Errorf("round %d: 10 values in a map for %d, and %d blocks", round, set.most, len(set.blocks))
		}
		for i := 4990; i < 5000; i++ {
			if v, ok := set.Get(fmt.Sprint(i)); !ok || v != i {
				t.Errorf("%d: %v, %v", i, v, ok)
			}
		}
	}
}

func of(values map[string]int) *Set[int] {
	set := &Set[int]{}
	set.Merge(values, func(string, int) error { return nil })
	return set
}

func order(s *Set[int]) (all []Entry[int]) {
	for place := range s.n {
		all = append(all, *s.at(place))
	}
	return all
}

func asMap(entries []Entry[int]) map[string]int {
	all := map[string]int{}
	for _, e := range entries {
		all[e.Name] = e.Value
	}
	return all
}

func TestManyAtOnce(t *testing.T) {
	set := of(map[string]int{"a": 1, "b": 2})
	var writing sync.Mutex
	write := func(f func()) {
		writing.Lock()
		defer writing.Unlock()
		f()
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				name := fmt.Sprint(i % 7)
				switch (i + w) % 5 {
				case 0:
					write(func() { set.Add(name, i) })
				case 1:
					write(func() { set.Drop(name) })
				case 2:
					write(func() { set.Merge(map[string]int{"a": 1}, func(string, int) error { return nil }) })
				case 3:
					set.All()
				default:
					if _, err := set.Pick(func(n int) int { return n - 1 }); err != nil && !errors.Is(err, ErrEmpty) {
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
		set := of(values)
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
		b.Run(fmt.Sprintf("merge an equal one/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Merge(values, func(string, int) error { return nil })
			}
		})
		b.Run(fmt.Sprintf("merge a new one/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				(&Set[int]{}).Merge(values, func(string, int) error { return nil })
			}
		})
	}
}
