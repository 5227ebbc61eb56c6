package rxjs

func throws(f *table) bool {
	for _, c := range f.calls {
		if c.Err != nil {
			return true
		}
	}
	return false
}

func (k *recorded) inputOK(v any) string {
	if _, ok := v.([]any); ok {
		return ""
	}
	if n, ok := isRef(v, "$obs"); ok {
		return k.cannot(n)
	}
	return "inner input is no observable"
}

func (k *recorded) projectOK(f *table) string {
	for _, c := range f.calls {
		if c.Err != nil {
			return "project throws: an ItemToObservable cannot" // but Thrown can
		}
		if why := k.inputOK(c.Out); why != "" {
			return why
		}
	}
	return ""
}

// cannot says why a node has no counterpart; empty: it has.
func (k *recorded) cannot(i int) string {
	if i < 0 {
		return "unknown observable"
	}
	n := &k.Nodes[i]
	pred := func(extra int) string {
		f := n.fn(0)
		if f == nil {
			return n.Op + " without a predicate"
		}
		if throws(f) {
			return "predicate throws: rxgo.Predicate cannot"
		}
		if len(n.Args) > extra {
			return n.Op + " with more arguments"
		}
		return k.cannot(n.In)
	}
	if n.Creator {
		switch n.Op {
		case "of", "from":
			for _, a := range n.Args {
				if _, ok := isRef(a, "$sched"); ok {
					return "scheduler"
				}
			}
			if n.Op == "from" {
				if _, ok := n.Args[0].([]any); !ok {
					return "from something else"
				}
			}
			return ""
		case "EMPTY", "NEVER":
			return ""
		case "throwError":
			if f := n.fn(0); f != nil && len(f.calls) == 0 {
				return "throwError never asked"
			}
			return ""
		case "merge", "concat":
			for _, a := range n.Args {
				if why := k.inputOK(a); why != "" {
					return n.Op + " of something else"
				}
			}
			return ""
		case "partition":
			f := n.fn(1)
			if f == nil || throws(f) || len(n.Args) > 2 {
				return "predicate throws: rxgo.Predicate cannot"
			}
			return k.inputOK(n.Args[0])
		case "interval":
			return ""
		}
		return "no " + n.Op + " here"
	}
	switch n.Op {
	case "hot", "cold":
		if e, ok := n.Error.(map[string]any); ok && e["$odd"] != nil {
			return "odd error"
		}
		return ""
	case "of":
		return ""
	case "map", "mapTo", "take", "skip", "ignoreElements", "takeLast", "skipLast", "toArray", "startWith", "scan", "reduce", "distinct", "last", "count", "defaultIfEmpty", "bufferCount", "debounceTime", "elementAt", "every", "min", "max", "retry", "repeat":
		for _, a := range n.Args {
			if _, ok := isRef(a, "$sched"); ok {
				return "scheduler"
			}
			if _, ok := isRef(a, "$obs"); ok {
				return n.Op + " with an observable"
			}
		}
		switch n.Op {
		case "take", "skip", "takeLast", "skipLast", "elementAt":
			if c, ok := n.num(0); !ok || c < 0 || len(n.Args) > 1 {
				return n.Op + " of a count a uint cannot be"
			}
		case "map":
			if len(n.Args) != 1 {
				return "map with thisArg"
			}
		case "last", "count", "distinct", "every":
			if f := n.fn(0); f != nil && throws(f) {
				return "predicate throws: rxgo.Predicate cannot"
			}
			if len(n.Args) > 1 {
				return n.Op + " with more arguments"
			}
			if n.Op != "distinct" && n.Op != "every" && n.fn(0) != nil {
				return n.Op + " with a predicate"
			}
		case "defaultIfEmpty", "toArray":
		case "reduce", "scan", "min", "max":
			if f := n.fn(0); f != nil && throws(f) && n.Op != "scan" && n.Op != "reduce" {
				return "comparator throws"
			}
		case "bufferCount", "debounceTime":
			if len(n.Args) > 1 {
				return n.Op + " with more arguments"
			}
		case "retry", "repeat":
			if c, ok := n.num(0); !ok || c < 1 || len(n.Args) > 1 {
				return n.Op + " without a count"
			}
		}
		return k.cannot(n.In)
	case "distinctUntilChanged":
		if len(n.Args) > 0 {
			return "distinctUntilChanged with a comparator"
		}
		return k.cannot(n.In)
	case "filter", "skipWhile", "find":
		return pred(1)
	case "takeWhile":
		return pred(2)
	case "first":
		if len(n.Args) == 0 {
			return k.cannot(n.In)
		}
		if n.fn(0) != nil && len(n.Args) == 1 {
			return pred(1)
		}
		return "first with a default"
	case "concatMap", "mergeMap", "concatMapTo", "mergeMapTo":
		if len(n.Args) > 1 {
			if _, ok := n.num(1); !ok {
				if s, _ := n.Args[1].(map[string]any); s == nil || s["$num"] != "Infinity" {
					return "result selector"
				}
			}
		}
		if f := n.fn(0); f != nil {
			if why := k.projectOK(f); why != "" {
				return why
			}
		} else if why := k.inputOK(n.Args[0]); why != "" {
			return why
		}
		return k.cannot(n.In)
	case "mergeAll", "concatAll":
		return k.cannot(n.In)
	case "takeUntil", "sample":
		if why := k.inputOK(n.Args[0]); why != "" {
			return why
		}
		return k.cannot(n.In)
	case "sequenceEqual":
		if why := k.inputOK(n.Args[0]); why != "" {
			return why
		}
		return k.cannot(n.In)
	case "share":
		if len(n.Args) > 0 {
			return "share with a configuration"
		}
		return k.cannot(n.In)
	case "withLatestFrom", "mergeWith", "merge", "concatWith", "zipWith", "zip":
		args := n.Args
		if n.Op == "withLatestFrom" && n.fn(len(n.Args)-1) != nil {
			if len(n.Args) != 2 {
				return "withLatestFrom of several with a project"
			}
			args = args[:1]
		}
		if (n.Op == "zipWith" || n.Op == "zip") && len(args) != 1 {
			return "zip of several"
		}
		for _, a := range args {
			if why := k.inputOK(a); why != "" {
				return n.Op + ": " + why
			}
		}
		return k.cannot(n.In)
	}
	return "no " + n.Op + " here"
}
