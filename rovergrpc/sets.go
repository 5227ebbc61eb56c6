package rovergrpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"time"

	"github.com/reactivex/rxgo/v2"
	_ "google.golang.org/grpc" // for its own resolvers: dns, passthrough, unix
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/repeat"
)

// DefaultRefresh is how often a resolver is asked to look again, unless
// WithRefresh says otherwise. gRPC's own dns resolver looks no sooner.
const DefaultRefresh = 30 * time.Second

// A ResolverOption configures Resolver.
type ResolverOption func(*lookup) error

// WithRefresh sets how often the resolver is asked to look again: more than 0,
// default 30 s. A resolver that watches its source is free to ignore it.
func WithRefresh(d time.Duration) ResolverOption {
	return func(l *lookup) error {
		if l.refresh = d; d <= 0 {
			return fmt.Errorf("rovergrpc: refresh must be more than 0, got %v", d)
		}
		return nil
	}
}

// WithLookAgain has the resolver look again for each item of an observable, for
// example when a server was unreachable. Default: none.
func WithLookAgain(when rxgo.Observable) ResolverOption {
	return func(l *lookup) error {
		if l.again = when; when == nil {
			return errors.New("rovergrpc: look again must not be nil")
		}
		return nil
	}
}

// WithBuilders sets resolvers that come before those registered with gRPC.
func WithBuilders(builders ...resolver.Builder) ResolverOption {
	return func(l *lookup) error {
		for i, b := range builders {
			if b == nil {
				return fmt.Errorf("rovergrpc: builder %d of %d is nil", i+1, len(builders))
			}
		}
		l.builders = append(l.builders, builders...)
		return nil
	}
}

// Resolver makes a gRPC resolver a source of sets, for rover.WithServerSets:
// "dns:///service.example.org:4040", or of any scheme that is registered with
// gRPC. A target without one is for dns, as in grpc.NewClient.
//
// The observable is cold: each subscriber has a resolver of its own, which
// closes when the subscriber leaves. It emits a map[string]rover.Server when the
// set has changed, its ids the addresses. A server with several addresses counts
// by its first one.
//
// What is wrong is an error item and never the end: the last set stays in force
// when the resolver fails or finds nothing, and addresses that are no host:port
// are left out. The same error is emitted at most once a minute. Resolvers that
// give no addresses to others, as gRPC's xds does not, never emit a set.
//
// It knows as much as the resolver says. That of dns says nothing of how long
// an answer is good for, and takes half an answer (of A and AAAA) for a whole
// one: package discover has a better one.
func Resolver(target string, options ...ResolverOption) rxgo.Observable {
	l := lookup{target: target, refresh: DefaultRefresh}
	for i, option := range options {
		if option == nil {
			return rxgo.Thrown(fmt.Errorf("rovergrpc: option %d of %d is nil", i+1, len(options)))
		}
		if err := option(&l); err != nil {
			return rxgo.Thrown(err)
		}
	}
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		return func(yield func(rxgo.Item) bool) { l.follow(ctx, yield) }
	}, nil)
}

// A lookup is what Resolver was given.
type lookup struct {
	target   string
	refresh  time.Duration
	again    rxgo.Observable
	builders []resolver.Builder
}

// follow runs a resolver and yields what it finds until the subscriber leaves.
func (l lookup) follow(ctx context.Context, yield func(rxgo.Item) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var again <-chan rxgo.Item
	if l.again != nil {
		again = hot.Newest(ctx, l.again)
	}
	found := newest{items: make(chan finding, 1)}
	running := l.run(&found)
	defer func() { running.Close() }()
	refresh := time.NewTicker(l.refresh)
	defer refresh.Stop()
	var last map[string]rover.Server
	var faults repeat.Log
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-found.items:
			if f.err != nil {
				if _, now := faults.Happened(f.err.Error()); now && !yield(rxgo.Error(f.err)) {
					return
				}
			}
			if len(f.set) > 0 && !maps.Equal(f.set, last) {
				last = f.set
				if !yield(rxgo.Of(maps.Clone(last))) { // the reader may change his
					return
				}
			}
		case _, ok := <-again:
			if !ok {
				again = nil // it has ended
				continue
			}
			running.ResolveNow(resolver.ResolveNowOptions{})
		case <-refresh.C:
			if _, failed := running.(resolved); failed {
				running = l.run(&found)
			}
			running.ResolveNow(resolver.ResolveNowOptions{})
		}
	}
}

// run builds the resolver. If that fails, the error is what it found.
func (l lookup) run(found *newest) resolver.Resolver {
	target, builder, err := l.builder()
	if err == nil {
		var r resolver.Resolver
		if r, err = builder.Build(target, found, resolver.BuildOptions{
			DisableServiceConfig: true,
			DialCreds:            insecure.NewCredentials(),
			Authority:            target.Endpoint(),
		}); err == nil {
			return r
		}
	}
	found.put(finding{err: fmt.Errorf("rovergrpc: resolver for %q: %w", l.target, err)})
	return resolved{}
}

// builder finds who resolves the target, as grpc.NewClient does.
func (l lookup) builder() (resolver.Target, resolver.Builder, error) {
	for _, text := range []string{l.target, "dns:///" + l.target} {
		at, err := url.Parse(text)
		if err != nil {
			continue
		}
		for _, b := range l.builders {
			if b.Scheme() == at.Scheme {
				return resolver.Target{URL: *at}, b, nil
			}
		}
		if b := resolver.Get(at.Scheme); b != nil {
			return resolver.Target{URL: *at}, b, nil
		}
	}
	return resolver.Target{}, nil, errors.New("no such scheme, nor a host name")
}
