package rxjs

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/callosum-go/rover/marble"
	"github.com/reactivex/rxgo/v2"
)

// jsErr is whatever RxJS was given as an error.
type jsErr struct{ s string }

func (e jsErr) Error() string { return e.s }

func key(v any) string { b, _ := json.Marshal(v); return string(b) }

func isRef(v any, name string) (int, bool) {
	o, ok := v.(map[string]any)
	if !ok || len(o) != 1 {
		return 0, false
	}
	n, ok := o[name].(float64)
	return int(n), ok
}

type builder struct {
	m    *marble.M
	k    *recorded
	mu   sync.Mutex
	made map[int]rxgo.Observable
	seen map[*table]map[string]int
}

func (b *builder) call(f *table, args ...any) (any, error) {
	if f.Lib != "" {
		return lib(f, args)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var found *call
	id := key(args)
	nth := 0
	if b.seen[f] == nil {
		b.seen[f] = map[string]int{}
	}
	for i := range f.calls {
		c := &f.calls[i]
		if len(c.In) >= len(args) && key(c.In[:len(args)]) == id {
			found = c
			if nth == b.seen[f][id] {
				break
			}
			nth++
		}
	}
	b.seen[f][id]++
	if found == nil {
		b.m.Errorf("callback asked of %s, which RxJS did not ask", id)
		return nil, jsErr{"never asked"}
	}
	if found.Err != nil {
		return nil, jsErr{key(found.Err)}
	}
	return found.Out, nil
}

func truthy(v any) bool {
	switch x := v.(type) {
	case nil:
		return false
	case bool:
		return x
	case float64:
		return x != 0
	case string:
		return x != ""
	case map[string]any:
		_, undef := x["$u"]
		return !undef
	}
	return true
}

func (b *builder) pred(f *table) rxgo.Predicate {
	return func(v any) bool { r, _ := b.call(f, v); return truthy(r) }
}

func lib(f *table, args []any) (any, error) {
	s := fmt.Sprint(args[0])
	switch f.Lib {
	case "in": // value is one of the letters of arg
		return strings.Contains(f.Arg.(string), s[:1]), nil
	case "wrap":
		return "<" + s + ">", nil
	case "wrapErr": // fails for the letter
		if strings.Contains(s, f.Arg.(string)) {
			return nil, jsErr{key("fn")}
		}
		return s + "'", nil
	case "cat":
		return s + fmt.Sprint(args[1]), nil
	case "pick": // one of several observables, by the first byte
		list := f.Arg.([]any)
		return list[int(s[0])%len(list)], nil
	}
	panic("no lib " + f.Lib)
}
