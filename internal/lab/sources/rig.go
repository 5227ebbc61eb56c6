// Package sources is the one suite of faults that every source of sets must
// stand: Run runs it.
package sources

import (
	"context"
	"fmt"
	"maps"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
)

// A Rig is a source and the thing it looks at, which is in the test's hand. What is
// nil the source cannot do.
type Rig struct {
	Open func(opts ...discover.Option) rxgo.Observable
	// Put makes these what is named from now on, and heals every failure. Ids are
	// addresses.
	Put func(servers map[string]rover.Server)
	// Fail has the thing fail in one way, by its name, until Put.
	Fail map[string]func()
	// Spoil makes the entry of an id one that cannot be read.
	Spoil func(id string)
	// Twice names all entries twice.
	Twice func()
	// Restart has the thing end and come again, with other versions of its own.
	Restart func()
	// Looks is how often the thing was asked.
	Looks func() int
	// Own is set where the caller's client has goroutines of its own: what is in the
	// stacks of those that must end with the subscription.
	Own []string
}

// Servers are n servers, from a number on, by address.
func Servers(from, n int) map[string]rover.Server {
	set := make(map[string]rover.Server, n)
	for i := range n {
		s := rover.Server{Host: fmt.Sprintf("127.0.%d.%d", (from+i)/250, 1+(from+i)%250), Port: 4040}
		set[net.JoinHostPort(s.Host, strconv.Itoa(s.Port))] = s
	}
	return set
}

// patience is how long something that must happen may take.
const patience = 20 * time.Second

// A reader is a subscriber.
type reader struct {
	t      testing.TB
	items  <-chan rxgo.Item
	end    context.CancelFunc
	faults []string
}

func (r *Rig) subscribe(t testing.TB, opts ...discover.Option) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	opts = append([]discover.Option{discover.WithRefresh(10*time.Millisecond, 50*time.Millisecond), discover.WithTimeout(5 * time.Second)}, opts...)
	read := &reader{t: t, items: r.Open(opts...).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError)), end: cancel}
	t.Cleanup(func() {
		cancel()
		for range read.items {
		}
	})
	return read
}

// next is the next set, or fault.
func (r *reader) next() (set map[string]rover.Server, fault error) {
	r.t.Helper()
	select {
	case item, more := <-r.items:
		if !more {
			r.t.Fatal("the source has ended")
		}
		if item.Error() {
			r.faults = append(r.faults, item.E.Error())
			return nil, item.E
		}
		return item.V.(map[string]rover.Server), nil
	case <-time.After(patience):
		r.t.Fatalf("nothing came in %v; faults so far: %q", patience, r.faults)
		return nil, nil
	}
}

// wants reads on until a set comes, which must be this one.
func (r *reader) wants(want map[string]rover.Server) {
	r.t.Helper()
	for {
		set, fault := r.next()
		if fault != nil {
			continue
		}
		if !maps.Equal(set, want) {
			r.t.Fatalf("got a set of %d: %v, want %d: %v", len(set), set, len(want), want)
		}
		return
	}
}

// ends reads on until this set has come.
func (r *reader) ends(want map[string]rover.Server) {
	r.t.Helper()
	for {
		if set, fault := r.next(); fault == nil && maps.Equal(set, want) {
			return
		}
	}
}

// fails reads a fault: no set may come before it.
func (r *reader) fails() error {
	r.t.Helper()
	set, fault := r.next()
	if fault == nil {
		r.t.Fatalf("got a set, want a fault: %v", set)
	}
	return fault
}

// quiet sees that no set comes while the source is asked several times.
func (r *reader) quiet(rig *Rig) {
	r.t.Helper()
	const times = 4
	begun, waited := 0, 0
	if rig.Looks != nil {
		begun = rig.Looks()
	}
	for rig.Looks == nil && waited < 40 || rig.Looks != nil && rig.Looks() < begun+times {
		select {
		case item, more := <-r.items:
			if !more {
				r.t.Fatal("the source has ended")
			}
			if !item.Error() {
				r.t.Fatalf("got %v, want nothing", item.V)
			}
			r.faults = append(r.faults, item.E.Error())
		case <-time.After(5 * time.Millisecond):
			if waited++; waited > 4000 {
				r.t.Fatal("the source is not asked any more")
			}
		}
	}
}
