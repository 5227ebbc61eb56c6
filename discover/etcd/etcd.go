// Package etcd makes sets of servers of the keys below a prefix in etcd, version 3.
package etcd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
)

// again is how long after the end of a watch the keys are read anew.
const again = time.Second

// Watch is the set of the keys that begin with prefix: the rest of a key is the id,
// its value is host:port. It keeps the rules of package discover and takes its
// options. It reads all keys, and then watches from that revision. All keys are read
// again after WithRefresh's max, for the client says nothing of an outage, and when a
// watch has ended. The client is the caller's, to close too.
func Watch(client *clientv3.Client, prefix string, opts ...discover.Option) rxgo.Observable {
	return discover.Watch("etcd "+prefix, func(ctx context.Context, changed func()) discover.Look {
		k := &keys{client: client, prefix: prefix}
		return func(within context.Context) (discover.Answer, error) {
			if client == nil {
				return discover.Answer{}, errors.New("the client is nil")
			}
			if !k.apply() {
				if err := k.read(within); err != nil {
					return discover.Answer{}, err
				}
			}
			wrong := k.watch(ctx, changed)
			return discover.Answer{Servers: k.servers, Unread: k.unread, Good: math.MaxInt64, Wrong: wrong}, nil
		}
	}, opts...)
}

// keys are what one subscriber knows. Looks use them one after the other; the watch
// has its own part.
type keys struct {
	client   *clientv3.Client
	prefix   string
	servers  map[string]rover.Server
	unread   map[string]error
	revision int64 // of the last change that is in them

	mu       sync.Mutex // of what follows
	watching bool
	events   []*clientv3.Event
	ended    error // why the last watch has; nil: nothing to report
}

// apply puts in what the watch has brought. False: nothing, or it has missed some.
func (k *keys) apply() bool {
	k.mu.Lock()
	events, whole := k.events, k.watching
	k.events = nil
	k.mu.Unlock()
	if !whole || len(events) == 0 {
		return false
	}
	for _, e := range events {
		if e.Kv.ModRevision <= k.revision { // it has been read
			continue
		}
		id := strings.TrimPrefix(string(e.Kv.Key), k.prefix)
		if e.Type == clientv3.EventTypeDelete {
			delete(k.servers, id)
			delete(k.unread, id)
		} else {
			k.put(id, e.Kv.Value)
		}
	}
	k.revision = max(k.revision, events[len(events)-1].Kv.ModRevision)
	return true
}

// read reads all keys.
func (k *keys) read(ctx context.Context) error {
	got, err := k.client.Get(ctx, k.prefix, clientv3.WithPrefix())
	if err != nil {
		return err
	}
	k.servers, k.unread = make(map[string]rover.Server, len(got.Kvs)), map[string]error{}
	for _, kv := range got.Kvs {
		k.put(strings.TrimPrefix(string(kv.Key), k.prefix), kv.Value)
	}
	k.revision = got.Header.Revision
	return nil
}

func (k *keys) put(id string, value []byte) {
	var server rover.Server
	delete(k.servers, id)
	delete(k.unread, id)
	if err := server.UnmarshalText(value); err != nil {
		k.unread[id] = err
	} else {
		k.servers[id] = server
	}
}

// watch begins to watch from what was read, if nothing does, and returns why the
// last watch has ended.
func (k *keys) watch(ctx context.Context, changed func()) (ended error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ended, k.ended = k.ended, nil
	if k.watching {
		return ended
	}
	k.watching, k.events = true, nil
	from := k.revision + 1
	go func() {
		err := k.follow(ctx, from, changed)
		k.mu.Lock()
		k.watching, k.ended = false, err
		k.mu.Unlock()
		select { // a watch that ends at once must not make many looks
		case <-time.After(again):
			changed()
		case <-ctx.Done():
		}
	}()
	return ended
}

// follow collects events until the watch ends: by compaction, without a leader, or
// with ctx.
func (k *keys) follow(ctx context.Context, from int64, changed func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for response := range k.client.Watch(clientv3.WithRequireLeader(ctx), k.prefix, clientv3.WithPrefix(), clientv3.WithRev(from)) {
		if err := response.Err(); err != nil {
			return fmt.Errorf("the watch ended: %w", err)
		}
		if len(response.Events) > 0 {
			k.mu.Lock()
			k.events = append(k.events, response.Events...)
			k.mu.Unlock()
			changed()
		}
	}
	return errors.New("the watch ended")
}
