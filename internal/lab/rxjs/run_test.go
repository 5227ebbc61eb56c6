package rxjs

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

func values(vals map[string]any, err any) marble.Values {
	v := marble.Values{"#": jsErr{key(err)}}
	for k, x := range vals {
		v[k] = x
	}
	return v
}

func (k *recorded) run(m *marble.M) {
	b := &builder{m: m, k: k, made: map[int]rxgo.Observable{}, seen: map[*table]map[string]int{}}
	sources := map[int]*marble.Source{}
	for i := range k.Nodes {
		n := &k.Nodes[i]
		switch n.Op {
		case "hot":
			sources[i] = m.Hot(n.D, values(n.Values, n.Error))
		case "cold":
			sources[i] = m.Cold(n.D, values(n.Values, n.Error))
		default:
			continue
		}
		b.made[i] = sources[i]
	}
	for _, e := range k.Expect {
		var it rxgo.Iterable = b.made[*e.Node]
		if b.made[*e.Node] == nil {
			it = b.make(*e.Node)
			if o, ok := it.(rxgo.Observable); ok {
				b.made[*e.Node] = o
			}
		}
		var opts []marble.Option
		if e.Unsub != nil {
			opts = append(opts, marble.Window(*e.Unsub))
		}
		x := m.Expect(it, opts...)
		if e.Equal != nil {
			x.ToEqual(b.node(*e.Equal))
			continue
		}
		var vals map[string]any
		if json.Unmarshal(e.Values, &vals) != nil {
			var list []any // RxJS takes a list too: keys 0, 1, …
			_ = json.Unmarshal(e.Values, &list)
			vals = map[string]any{}
			for i, v := range list {
				vals[fmt.Sprint(i)] = v
			}
		}
		x.ToBe(e.D, values(vals, e.Error))
	}
	for _, s := range k.Subs {
		if sources[s.Node] == nil {
			continue
		}
		var windows []string
		for _, w := range s.W {
			if strings.ContainsAny(w, "^") {
				windows = append(windows, w)
			}
		}
		m.ExpectSubscriptions(sources[s.Node]).ToBe(windows...)
	}
}
