package rovergrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/base"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
)

// gRPC finds resolvers and balancers by name, in the whole process. These two
// have no state.
func init() {
	resolver.Register(resolverBuilder{})
	balancer.Register(balancerBuilder{})
}

var errNoPool = errors.New("rovergrpc: no pool: the client needs rovergrpc.Over, and no grpc.WithContextDialer beside it")

// resolverBuilder resolves Target: to one address, which nobody dials, and to a
// service config with our balancer.
type resolverBuilder struct{}

func (resolverBuilder) Scheme() string { return scheme }

func (resolverBuilder) Build(target resolver.Target, cc resolver.ClientConn, opts resolver.BuildOptions) (resolver.Resolver, error) {
	s := settingsOf(opts.Dialer)
	if s == nil {
		return nil, errNoPool
	}
	config := cc.ParseServiceConfig(s.serviceConfig)
	if config.Err != nil {
		return nil, fmt.Errorf("rovergrpc: service config: %w", config.Err)
	}
	_ = cc.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: target.Endpoint()}}, ServiceConfig: config}) // its error is for those who can look again
	return resolved{}, nil
}

// resolved is a resolver that has nothing left to do.
type resolved struct{}

func (resolved) ResolveNow(resolver.ResolveNowOptions) {}
func (resolved) Close()                                {}

type balancerBuilder struct{}

func (balancerBuilder) Name() string { return scheme }

func (balancerBuilder) Build(cc balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	s := settingsOf(opts.Dialer)
	if s == nil {
		return poolless{cc}
	}
	secure := opts.DialCreds
	if secure == nil && opts.CredsBundle != nil {
		secure = opts.CredsBundle.TransportCredentials()
	}
	//lint:ignore SA1019 who still sets a name there means it
	l := &lanes{cc: cc, settings: s, named: secure != nil && secure.Info().ServerName != ""}
	l.open, l.shut = context.WithCancel(context.Background())
	return l
}

// ParseConfig fails for what refuse has made.
func (balancerBuilder) ParseConfig(text json.RawMessage) (serviceconfig.LoadBalancingConfig, error) {
	var config struct{ Error string }
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("rovergrpc: load balancing config: %w", err)
	}
	if config.Error != "" {
		return nil, errors.New(config.Error)
	}
	return nil, nil // there is nothing to configure
}

// poolless is the balancer of a client whose service config names ours, and that
// was not given Over.
type poolless struct{ cc balancer.ClientConn }

func (p poolless) UpdateClientConnState(balancer.ClientConnState) error {
	p.cc.UpdateState(balancer.State{ConnectivityState: connectivity.TransientFailure, Picker: base.NewErrPicker(errNoPool)})
	return nil
}
func (poolless) ResolverError(error)                                        {}
func (poolless) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}
func (poolless) ExitIdle()                                                  {}
func (poolless) Close()                                                     {}
