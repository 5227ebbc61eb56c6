package whole_test

import (
	"fmt"
	"maps"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

func init() { maps.Copy(pictures, operatorPictures) }

var frame = marble.DefaultFrame

// becomes is project: the sources of a picture, by the letters of the first.
func becomes(in []*marble.Source) rxgo.ItemToObservable {
	return func(item rxgo.Item) rxgo.Observable { return in[1+item.V.(string)[0]-'a'] }
}

// The operators that other Rx libraries have too.
var operatorPictures = map[string]picture{
	"combine-latest": {marble.Figure{
		Title: "CombineLatest",
		In: []marble.Lane{
			{Diagram: "-a---b-----|"},
			{Diagram: "---x-----y---|"}},
		Operator: "CombineLatest(concat, …)",
		Out:      []marble.Lane{{Diagram: "---k-l---m---|", Values: marble.Values{"k": "ax", "l": "bx", "m": "by"}}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.CombineLatest(func(latest ...any) any { return fmt.Sprint(latest...) }, []rxgo.Observable{in[0], in[1]})}
	}, ""},

	"concat": {marble.Figure{
		Title: "Concat",
		In: []marble.Lane{
			{Diagram: "-a--b-|", Cold: true},
			{Diagram: "--x-y|", Cold: true}},
		Operator: "Concat",
		Out:      []marble.Lane{{Diagram: "-a--b---x-y|"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.Concat([]rxgo.Observable{in[0], in[1]})}
	}, ""},

	"switch-map": {marble.Figure{
		Title: "SwitchMap",
		In: []marble.Lane{
			{Name: "source", Diagram: "-a---b------|"},
			{Name: "a becomes", Diagram: "x-x-x-x|", Cold: true},
			{Name: "b becomes", Diagram: "-y-y|", Cold: true}},
		Operator: "SwitchMap(source, project)",
		Out:      []marble.Lane{{Diagram: "-x-x--y-y---|"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		m.ExpectSubscriptions(in[1]).ToBe("-^---!")
		return []rxgo.Observable{rover.SwitchMap(in[0], becomes(in))}
	}, ""},

	"exhaust-map": {marble.Figure{
		Title: "ExhaustMap",
		In: []marble.Lane{
			{Name: "source", Diagram: "-a--b-----b-------|"},
			{Name: "a becomes", Diagram: "x--x--x|", Cold: true},
			{Name: "b becomes", Diagram: "-y-y|", Cold: true}},
		Operator: "ExhaustMap(source, project)",
		Out:      []marble.Lane{{Diagram: "-x--x--x---y-y----|"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		m.ExpectSubscriptions(in[2]).ToBe("----------^---!")
		return []rxgo.Observable{rover.ExhaustMap(in[0], becomes(in))}
	}, ""},

	"delay": {marble.Figure{
		Title:    "Delay",
		In:       []marble.Lane{{Name: "source", Diagram: "-a-(bc)---|"}},
		Operator: "Delay(source, 3 ms)",
		Out:      []marble.Lane{{Diagram: "----a-(bc)|"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.Delay(in[0], 3*frame)}
	}, ""},

	"debounce-by": {marble.Figure{
		Title: "DebounceBy",
		In: []marble.Lane{
			{Name: "source", Diagram: "-a-b------a-|"},
			{Name: "quiet", Diagram: "---q", Cold: true}},
		Operator: "DebounceBy(source, quiet)",
		Out:      []marble.Lane{{Diagram: "------b-----(a|)"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.DebounceBy(in[0], func(rxgo.Item) rxgo.Observable { return in[1] })}
	}, ""},

	"race": {marble.Figure{
		Title: "Race",
		In: []marble.Lane{
			{Diagram: "---a-b---|"},
			{Diagram: "--x----y---|"}},
		Operator: "Race",
		Out:      []marble.Lane{{Diagram: "--x----y---|"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		m.ExpectSubscriptions(in[0]).ToBe("^-!")
		return []rxgo.Observable{rover.Race([]rxgo.Observable{in[0], in[1]})}
	}, ""},

	"end-with": {marble.Figure{
		Title:    "EndWith",
		In:       []marble.Lane{{Name: "source", Diagram: "-a--b--|"}},
		Operator: "EndWith(source, x, y)",
		Out:      []marble.Lane{{Diagram: "-a--b--(xy|)"}},
	}, func(_ *marble.M, in []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.EndWith(in[0], []any{"x", "y"})}
	}, ""},

	"retry": {marble.Figure{
		Title:    "Retry",
		In:       []marble.Lane{{Name: "source", Diagram: "-a-#", Cold: true}},
		Operator: "Retry(source, twice, after 1 ms and 2 ms)",
		Out:      []marble.Lane{{Diagram: "-a---a----a-#"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		m.ExpectSubscriptions(in[0]).ToBe("^--!", "----^--!", "---------^--!")
		return []rxgo.Observable{rover.Retry(in[0], func(failures int, _ error) (time.Duration, bool) {
			return time.Duration(failures) * frame, failures <= 2
		})}
	}, ""},

	"repeat": {marble.Figure{
		Title:    "Repeat",
		In:       []marble.Lane{{Name: "source", Diagram: "-ab|", Cold: true}},
		Operator: "Repeat(source, once more, after 2 ms)",
		Out:      []marble.Lane{{Diagram: "-ab---ab|"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		m.ExpectSubscriptions(in[0]).ToBe("^--!", "-----^--!")
		return []rxgo.Observable{rover.Repeat(in[0], func(rounds int) (time.Duration, bool) { return 2 * frame, rounds < 2 })}
	}, ""},

	"share-as": {marble.Figure{
		Title:    "ShareAs",
		In:       []marble.Lane{{Name: "source", Diagram: "-a--b---c-|", Cold: true}},
		Operator: "ShareAs(source, {Replay: 1, KeepEnd: true})",
		Out: []marble.Lane{
			{Name: "one subscriber", Diagram: "-a--b---c-|"},
			{Name: "a later one", Diagram: "------b-c-|"},
			{Name: "after the end", Diagram: "-------------(c|)"}},
	}, func(m *marble.M, in []*marble.Source) []rxgo.Observable {
		shared := rover.ShareAs(in[0], hot.Sharing{Replay: 1, KeepEnd: true})
		m.ExpectSubscriptions(in[0]).ToBe("^---------!")
		return []rxgo.Observable{shared, later(6*frame, shared), later(13*frame, shared)}
	}, ""},

	"from-seq": {marble.Figure{
		Title:    "FromSeq",
		Operator: "FromSeq(slices.Values(all))",
		Out:      []marble.Lane{{Diagram: "(abc|)"}},
	}, func(*marble.M, []*marble.Source) []rxgo.Observable {
		return []rxgo.Observable{rover.FromSeq(func(yield func(string) bool) {
			for _, v := range []string{"a", "b", "c"} {
				if !yield(v) {
					return
				}
			}
		})}
	}, ""},
}
