package rxjs

import (
	"encoding/json"
)

type call struct {
	In  []any `json:"in"`
	Out any   `json:"out"`
	Err any   `json:"err"`
}

type table struct {
	Lib   string `json:"lib"`
	Arg   any    `json:"arg"`
	calls []call
}

func (f *table) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, &f.calls)
	}
	type plain table
	return json.Unmarshal(b, (*plain)(f))
}

type node struct {
	Op      string         `json:"op"`
	Creator bool           `json:"creator"`
	Part    int            `json:"part"`
	D       string         `json:"d"`
	Values  map[string]any `json:"values"`
	Error   any            `json:"error"`
	In      int            `json:"in"`
	Args    []any          `json:"args"`
	Fn      []*table       `json:"fn"`
	Vals    []any          `json:"vals"`
}

type expect struct {
	Node   *int            `json:"node"`
	Unsub  *string         `json:"unsub"`
	D      string          `json:"d"`
	Values json.RawMessage `json:"values"`
	Error  any             `json:"error"`
	Equal  *int            `json:"equal"`
	Any    bool            `json:"any"`
}

type recorded struct {
	ID     string   `json:"id"`
	Class  string   `json:"class"`
	Nodes  []node   `json:"nodes"`
	Expect []expect `json:"expect"`
	Subs   []struct {
		Node int      `json:"node"`
		W    []string `json:"w"`
	} `json:"subs"`
}

// fn is the argument i as a function, if it is one.
func (n *node) fn(i int) *table {
	if i >= len(n.Args) {
		return nil
	}
	if at, ok := isRef(n.Args[i], "$fn"); ok {
		return n.Fn[at]
	}
	return nil
}

func (n *node) num(i int) (float64, bool) {
	if i >= len(n.Args) {
		return 0, false
	}
	v, ok := n.Args[i].(float64)
	return v, ok
}
