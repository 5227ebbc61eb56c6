package rovergrpc

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/callosum-go/rover"
)

// A finding is what a resolver has reported: a set, if it is not empty, and what
// is wrong.
type finding struct {
	set map[string]rover.Server
	err error
}

// newest is the resolver.ClientConn that a resolver reports to. It never has the
// resolver wait: who reads late gets the last set and the last error.
type newest struct {
	mu    sync.Mutex // held by whoever writes
	items chan finding
}

func (n *newest) put(f finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case unread := <-n.items:
		if len(f.set) == 0 {
			f.set = unread.set
		}
		if f.err == nil {
			f.err = unread.err
		}
	default:
	}
	n.items <- f
}

// UpdateState takes an answer. One without servers is an error, upon which the
// resolver looks again by itself.
func (n *newest) UpdateState(state resolver.State) error {
	set, err := servers(state)
	n.put(finding{set, err})
	if len(set) == 0 {
		return err
	}
	return nil
}

// ReportError takes what went wrong.
func (n *newest) ReportError(err error) {
	n.put(finding{err: fmt.Errorf("rovergrpc: resolver: %w", err)})
}

// NewAddress is UpdateState of old resolvers.
func (n *newest) NewAddress(addresses []resolver.Address) {
	_ = n.UpdateState(resolver.State{Addresses: addresses})
}

// ParseServiceConfig parses nothing: a rover has no use for it.
func (n *newest) ParseServiceConfig(string) *serviceconfig.ParseResult {
	return &serviceconfig.ParseResult{}
}

// servers are those of an answer by their addresses. The error is what is wrong
// with it, or that there are none.
func servers(state resolver.State) (map[string]rover.Server, error) {
	addresses := state.Addresses
	if len(state.Endpoints) > 0 {
		addresses = nil
		for _, e := range state.Endpoints {
			if len(e.Addresses) > 0 {
				addresses = append(addresses, e.Addresses[0])
			}
		}
	}
	set := make(map[string]rover.Server, len(addresses))
	var wrong []error
	for _, a := range addresses {
		var server rover.Server
		if err := server.UnmarshalText([]byte(a.Addr)); err != nil {
			wrong = append(wrong, fmt.Errorf("rovergrpc: resolver: address %q: %w", a.Addr, err))
			continue
		}
		set[server.Addr()] = server
	}
	if len(set) == 0 {
		wrong = append(wrong, errors.New("rovergrpc: resolver found no servers"))
	}
	return set, errors.Join(wrong...)
}
