package sources

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/goleak"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
)

// Run runs the suite; build makes a rig that is its test's own.
func Run(t *testing.T, build func(testing.TB) *Rig) {
	t.Helper()
	failures := build(t).Fail
	for way := range failures {
		t.Run(way+" at the start", func(t *testing.T) { atTheStart(t, build(t), way) })
		t.Run(way+" later", func(t *testing.T) { later(t, build(t), way) })
	}
	for name, test := range map[string]func(*testing.T, *Rig){
		"empty": empty, "empty allowed": emptyAllowed, "shrinking": shrinking, "a glitch": glitch, "one bad entry": oneBad,
		"twice": twice, "the same again": same, "flood": flood, "restart": restart, "two subscribers": two, "context": contextEnds,
	} {
		t.Run(name, func(t *testing.T) { test(t, build(t)) })
	}
}

func atTheStart(t *testing.T, rig *Rig, way string) {
	rig.Fail[way]()
	r := rig.subscribe(t, discover.WithTimeout(200*time.Millisecond))
	r.fails()
	rig.Put(Servers(0, 3))
	r.wants(Servers(0, 3))
	once(t, r)
}

func later(t *testing.T, rig *Rig, way string) {
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t, discover.WithTimeout(200*time.Millisecond))
	r.wants(Servers(0, 3))
	rig.Fail[way]()
	r.fails()
	for range 5 { // it goes on failing
		select {
		case item := <-r.items:
			if !item.Error() {
				t.Fatalf("got %v in an outage", item.V)
			}
			r.faults = append(r.faults, item.E.Error())
		case <-time.After(50 * time.Millisecond):
		}
	}
	rig.Put(Servers(0, 4))
	r.wants(Servers(0, 4))
	once(t, r)
}

var port = regexp.MustCompile(`:\d+->`)

// once sees that the same fault was emitted once.
func once(t *testing.T, r *reader) {
	t.Helper()
	seen := map[string]bool{}
	for _, fault := range r.faults {
		if fault = port.ReplaceAllString(fault, "->"); seen[fault] {
			t.Errorf("emitted twice: %s", fault)
		}
		seen[fault] = true
	}
}

func empty(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t)
	r.wants(Servers(0, 3))
	rig.Put(nil)
	if fault := r.fails(); !errors.Is(fault, discover.ErrEmpty) {
		t.Errorf("got %v, want ErrEmpty", fault)
	}
	r.quiet(rig)
	rig.Put(Servers(0, 3))
	r.quiet(rig) // it is what was in force
	rig.Put(Servers(1, 3))
	r.wants(Servers(1, 3))
	once(t, r)
}

func emptyAllowed(t *testing.T, rig *Rig) {
	rig.Put(nil)
	r := rig.subscribe(t, discover.WithEmpty(true))
	r.wants(nil)
	rig.Put(Servers(0, 3))
	r.wants(Servers(0, 3))
	rig.Put(nil)
	r.wants(nil)
}

func shrinking(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 10))
	const wait = 400 * time.Millisecond
	r := rig.subscribe(t, discover.WithShrink(0.5, wait))
	r.wants(Servers(0, 10))
	rig.Put(Servers(0, 6)) // enough
	r.wants(Servers(0, 6))
	rig.Put(Servers(0, 1))
	if fault := r.fails(); !errors.Is(fault, discover.ErrShrunk) {
		t.Errorf("got %v, want ErrShrunk", fault)
	}
	begun := time.Now()
	r.wants(Servers(0, 1))
	if took := time.Since(begun); took < wait/2 { // we may have read the fault late
		t.Errorf("it waited %v, want %v", took, wait)
	}
}

// A set that is small once, and as it was after that, is never in force.
func glitch(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 10))
	r := rig.subscribe(t, discover.WithShrink(0.5, time.Hour))
	r.wants(Servers(0, 10))
	rig.Put(Servers(0, 1))
	r.fails()
	rig.Put(Servers(0, 10))
	r.quiet(rig)
	rig.Put(Servers(0, 11))
	r.wants(Servers(0, 11))
}

func oneBad(t *testing.T, rig *Rig) {
	if rig.Spoil == nil {
		t.Skip("the source's answers cannot have one")
	}
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t)
	r.wants(Servers(0, 3))
	for id := range Servers(1, 1) {
		rig.Spoil(id) // what had the id stays
	}
	r.fails()
	r.quiet(rig)
	for id := range Servers(50, 1) {
		rig.Spoil(id) // nothing had it
	}
	r.fails()
	rig.Put(Servers(0, 4))
	r.wants(Servers(0, 4))
}

func twice(t *testing.T, rig *Rig) {
	if rig.Twice == nil {
		t.Skip("the source's answers cannot have it")
	}
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t)
	r.wants(Servers(0, 3))
	rig.Twice()
	r.quiet(rig)
}

func same(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t)
	r.wants(Servers(0, 3))
	rig.Put(Servers(0, 3))
	r.quiet(rig)
	rig.Put(Servers(3, 3)) // all others
	r.wants(Servers(3, 3))
	if len(r.faults) > 0 {
		t.Errorf("faults: %q", r.faults)
	}
}

// A set that was emitted stays as it is, whatever comes after it.
func flood(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t)
	first, _ := r.next()
	for i := range 100 {
		rig.Put(Servers(i, 3))
	}
	rig.Put(Servers(200, 5))
	r.ends(Servers(200, 5))
	r.quiet(rig)
	if !maps.Equal(first, Servers(0, 3)) {
		t.Errorf("the first set has changed: %v", first)
	}
}

func restart(t *testing.T, rig *Rig) {
	if rig.Restart == nil {
		t.Skip("the source has nothing that could")
	}
	rig.Put(Servers(0, 3))
	r := rig.subscribe(t)
	r.wants(Servers(0, 3))
	rig.Restart()
	r.quiet(rig)
	rig.Put(Servers(0, 5))
	r.wants(Servers(0, 5))
}

// Each subscriber has all of it.
func two(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 3))
	a, b := rig.subscribe(t), rig.subscribe(t)
	a.wants(Servers(0, 3))
	b.wants(Servers(0, 3))
	a.end()
	rig.Put(Servers(0, 4))
	b.wants(Servers(0, 4))
}

// The end of its context ends a subscription, whenever it comes, and leaves nothing
// behind.
func contextEnds(t *testing.T, rig *Rig) {
	rig.Put(Servers(0, 3))
	before := goleak.IgnoreCurrent()
	moments := []time.Duration{0, 10 * time.Microsecond, 100 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 60 * time.Millisecond}
	leave := func(after time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		defer cancel()
		items := rig.Open(discover.WithRefresh(time.Millisecond, 5*time.Millisecond)).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
		limit := time.After(patience)
		for more := true; more; {
			select {
			case _, more = <-items:
			case <-limit:
				t.Fatalf("after %v: it has not ended", after)
			}
		}
	}
	for _, after := range moments {
		leave(after)
	}
	for _, fail := range rig.Fail {
		fail()
		leave(20 * time.Millisecond)
		leave(0)
		rig.Put(map[string]rover.Server{})
	}
	if rig.Own == nil {
		goleak.VerifyNone(t, before)
		return
	}
	for begun := time.Now(); ; {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := slices.ContainsFunc(rig.Own, func(own string) bool { return bytes.Contains(stacks, []byte(own)) })
		if !left {
			return
		}
		if time.Since(begun) > patience {
			t.Fatalf("left behind:\n%s", stacks)
		}
		<-time.After(10 * time.Millisecond)
	}
}
