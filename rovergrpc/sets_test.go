package rovergrpc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/reactivex/rxgo/v2"
	"google.golang.org/grpc/resolver"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/rovergrpc"
)

// A source is a resolver of the scheme "lab" that reports what a test has it
// report.
type source struct {
	mu     sync.Mutex
	cc     resolver.ClientConn
	fail   error
	built  int
	looks  int
	closed int
}

func (s *source) Scheme() string { return "lab" }

func (s *source) Build(_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.built++
	s.cc = cc
	return s, s.fail
}

func (s *source) ResolveNow(resolver.ResolveNowOptions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
}

func (s *source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
}

// found reports addresses, and returns what the resolver is answered.
func (s *source) found(addresses ...string) error {
	var state resolver.State
	for _, a := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: a})
	}
	return s.cc.UpdateState(state)
}

// A follower is a subscriber to the sets of a source, in virtual time.
type follower struct {
	t    *testing.T
	seen []string // sets and errors, as text
}

// follow runs a test with a source and a subscriber, until the subscriber leaves.
func follow(t *testing.T, s *source, test func(f *follower), options ...rovergrpc.ResolverOption) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(context.Background())
		sets := rovergrpc.Resolver("lab:///service", append(options, rovergrpc.WithBuilders(s))...)
		f := &follower{t: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for item := range hot.Items(ctx, sets) {
				if item.E != nil {
					f.seen = append(f.seen, item.E.Error())
					continue
				}
				set := item.V.(map[string]rover.Server)
				f.seen = append(f.seen, text(set))
				clear(set) // it is the reader's
			}
		}()
		synctest.Wait()
		test(f)
		leave()
		<-done
		if s.built != s.closed && s.fail == nil {
			t.Errorf("built %d times, closed %d times", s.built, s.closed)
		}
	})
}

// text is the addresses of a set, whose ids they must be.
func text(set map[string]rover.Server) string {
	var all []string
	for id, server := range set {
		if id != server.Addr() {
			id += " is " + server.Addr()
		}
		all = append(all, id)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// want checks what was emitted since the last time.
func (f *follower) want(what ...string) {
	f.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(what, f.seen); diff != "" {
		f.t.Errorf("emitted (-want +got):\n%s", diff)
	}
	f.seen = nil
}

// Only changes are emitted, whatever the order of the addresses.
func TestSetsChange(t *testing.T) {
	s := &source{}
	follow(t, s, func(f *follower) {
		kit.Check(t, s.found("10.0.0.1:1", "[2001:db8::1]:2"))
		f.want("10.0.0.1:1 [2001:db8::1]:2")
		kit.Check(t, s.found("[2001:db8::1]:2", "10.0.0.1:1"))
		f.want()
		kit.Check(t, s.found("10.0.0.1:1", "10.0.0.1:1"))
		f.want("10.0.0.1:1")
		//lint:ignore SA1019 old resolvers do
		s.cc.NewAddress([]resolver.Address{{Addr: "host.example:9"}})
		f.want("host.example:9")
	})
}

// Nothing, nonsense and failure leave the last set alone. A resolver that finds
// nothing is answered with an error, for it looks again then.
func TestSetsStay(t *testing.T) {
	s := &source{}
	follow(t, s, func(f *follower) {
		kit.Check(t, s.found("10.0.0.1:1"))
		f.want("10.0.0.1:1")
		if s.found() == nil {
			t.Error("no error for an answer without addresses")
		}
		f.want("rovergrpc: resolver found no servers")
		if s.found("nonsense") == nil {
			t.Error("no error for an answer of nonsense")
		}
		synctest.Wait()
		if len(f.seen) != 1 || !strings.Contains(f.seen[0], `address "nonsense"`) {
			t.Errorf("emitted %q", f.seen)
		}
		f.seen = nil
		s.cc.ReportError(kit.ErrOdd)
		f.want("rovergrpc: resolver: odd")
		kit.Check(t, s.found("10.0.0.1:1"))
		f.want()
		kit.Check(t, s.found("10.0.0.1:1", "10.0.0.2:70000", "10.0.0.3:3"))
		synctest.Wait()
		if len(f.seen) != 2 || !strings.Contains(f.seen[0], "70000") || f.seen[1] != "10.0.0.1:1 10.0.0.3:3" {
			t.Errorf("emitted %q", f.seen)
		}
	})
}

// The same error is emitted at most once a minute.
func TestSetsSameError(t *testing.T) {
	s := &source{}
	follow(t, s, func(f *follower) {
		for range 119 {
			s.cc.ReportError(kit.ErrOdd)
			time.Sleep(time.Second)
		}
		s.cc.ReportError(errors.New("even"))
		f.want("rovergrpc: resolver: odd", "rovergrpc: resolver: odd", "rovergrpc: resolver: even")
	})
}

// A server with several addresses is one server.
func TestSetsOfEndpoints(t *testing.T) {
	s := &source{}
	follow(t, s, func(f *follower) {
		kit.Check(t, s.cc.UpdateState(resolver.State{
			Addresses: []resolver.Address{{Addr: "10.0.0.9:9"}},
			Endpoints: []resolver.Endpoint{
				{Addresses: []resolver.Address{{Addr: "10.0.0.1:1"}, {Addr: "[2001:db8::1]:1"}}},
				{Addresses: []resolver.Address{{Addr: "10.0.0.2:1"}}},
				{},
			},
		}))
		f.want("10.0.0.1:1 10.0.0.2:1")
	})
}

// The resolver is asked to look again now and then, and when something says so.
func TestSetsLookAgain(t *testing.T) {
	s := &source{}
	unreachable := hot.NewSubject()
	follow(t, s, func(f *follower) {
		time.Sleep(35 * time.Second)
		synctest.Wait()
		kit.Equal(t, "looks", s.looks, 3)
		unreachable.Publish("a server")
		synctest.Wait()
		kit.Equal(t, "looks", s.looks, 4)
		unreachable.Complete()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		kit.Equal(t, "looks", s.looks, 5)
	}, rovergrpc.WithRefresh(10*time.Second), rovergrpc.WithLookAgain(unreachable.Observable()))
}

// A resolver that cannot be built is built anew with the next refresh.
func TestSetsBuildAgain(t *testing.T) {
	s := &source{fail: kit.ErrOdd}
	follow(t, s, func(f *follower) {
		f.want(`rovergrpc: resolver for "lab:///service": odd`)
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		s.closed++ // the one that was not built
		kit.Check(t, s.found("10.0.0.1:1"))
		f.want("10.0.0.1:1")
	})
}

// A subscriber that does not read has nobody wait, and then gets the last set.
func TestSetsSlowReader(t *testing.T) {
	s := &source{}
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(context.Background())
		items := rovergrpc.Resolver("lab:///service", rovergrpc.WithBuilders(s)).Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(0))
		synctest.Wait()
		for _, a := range []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"} {
			kit.Check(t, s.found(a))
			synctest.Wait()
		}
		kit.Equal(t, "first", text((<-items).V.(map[string]rover.Server)), "10.0.0.1:1")
		kit.Equal(t, "then", text((<-items).V.(map[string]rover.Server)), "10.0.0.3:1")
		leave()
		for range items {
			t.Error("one more")
		}
	})
}

// What is wrong with the options is the only item.
func TestSetsWrongOptions(t *testing.T) {
	for want, option := range map[string]rovergrpc.ResolverOption{
		"rovergrpc: option 1 of 1 is nil":                nil,
		"rovergrpc: refresh must be more than 0, got 0s": rovergrpc.WithRefresh(0),
		"rovergrpc: look again must not be nil":          rovergrpc.WithLookAgain(nil),
		"rovergrpc: builder 1 of 1 is nil":               rovergrpc.WithBuilders(nil),
	} {
		if item := kit.Must(rovergrpc.Resolver("dns:///x", option).First().Get())(t); item.E == nil || item.E.Error() != want {
			t.Errorf("got %v, want %s", item, want)
		}
	}
}

// gRPC's own resolvers do, with and without a scheme, and so a rover finds
// connections by them.
func TestSetsOfGRPC(t *testing.T) {
	all, _ := nodes(t, 1)
	for _, target := range []string{"dns:///" + all[0].at.Addr(), all[0].at.Addr(), "passthrough:///" + all[0].at.Addr(), "dns:///localhost:7"} {
		item := kit.Must(rovergrpc.Resolver(target).First().Get())(t)
		set, _ := item.V.(map[string]rover.Server)
		if len(set) == 0 || item.E != nil {
			t.Fatalf("%s: %v", target, item)
		}
	}
	s, c := kit.Find(t, rover.Server{Host: "unused", Port: 1}, rover.WithServers(nil), rover.WithServerSets(rovergrpc.Resolver(all[0].at.Addr())))
	kit.Equal(t, "id", c.ID, all[0].at.Addr())
	c.Decline()
	s.Stop()
	if item := kit.Must(rovergrpc.Resolver("%zz").First().Get())(t); item.E == nil || !strings.Contains(item.E.Error(), "no such scheme") {
		t.Errorf("a target that is none: %v", item)
	}
}
