// Package consul makes sets of servers of the instances of a service in Consul.
package consul

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
)

// Watch is the set of the instances of a service whose checks pass. Ids are
// node/service id; an instance without an address has its node's. The weight of an
// instance whose checks pass, and the node's datacenter as zone, go to
// WithAttributes. It keeps the rules of package discover and takes its options.
//
// It asks by blocking queries, each a little shorter than WithTimeout, and at most
// one in WithRefresh's min. Answers may be a little old: any of Consul's servers
// gives them. The client is the caller's.
func Watch(client *api.Client, service string, opts ...discover.Option) rxgo.Observable {
	return discover.Watch("consul "+service, func(context.Context, func()) discover.Look {
		q := &query{client: client, service: service}
		return func(ctx context.Context) (discover.Answer, error) {
			if client == nil {
				return discover.Answer{}, errors.New("the client is nil")
			}
			a, err := q.ask(ctx)
			if err != nil {
				q.index = 0 // the next one must not wait: it is to say that all is well
			}
			return a, err
		}
	}, opts...)
}

// A query is what one subscriber has seen.
type query struct {
	client  *api.Client
	service string
	index   uint64 // of the last answer; 0: the next question is answered at once
}

func (q *query) ask(ctx context.Context) (discover.Answer, error) {
	options := &api.QueryOptions{WaitIndex: q.index, AllowStale: true}
	if end, ok := ctx.Deadline(); ok { // Consul adds up to a sixteenth
		options.WaitTime = time.Until(end) * 3 / 4
	}
	instances, meta, err := q.client.Health().Service(q.service, "", true, options.WithContext(ctx))
	if err != nil {
		return discover.Answer{}, err
	}
	if meta.LastIndex < q.index { // a cluster that was restored, or is another, counts anew
		q.index = 0
	} else {
		q.index = meta.LastIndex
	}
	a := discover.Answer{Servers: make(map[string]rover.Server, len(instances)), Known: make(map[string]discover.Attribute, len(instances))}
	for _, i := range instances {
		if i == nil || i.Node == nil || i.Service == nil {
			a.Wrong = errors.New("an instance lacks its node or service")
			continue
		}
		host := i.Service.Address
		if host == "" {
			host = i.Node.Address
		}
		id := i.Node.Node + "/" + i.Service.ID
		a.Servers[id] = rover.Server{Host: host, Port: i.Service.Port}
		a.Known[id] = discover.Attribute{Weight: float64(i.Service.Weights.Passing), Zone: i.Node.Datacenter}
	}
	return a, nil
}
