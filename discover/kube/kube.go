// Package kube makes sets of servers of a Kubernetes service's EndpointSlices.
package kube

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"
	slicesv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	typed "k8s.io/client-go/kubernetes/typed/discovery/v1"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
)

// again is how long after the end of a watch the slices are listed anew.
const again = time.Second

// Slices is the set of a service's ready endpoints at one of its ports, by name; ""
// means every port. Ids are address:port. An endpoint whose readiness is not known
// is ready; one that is in two slices counts once. Its zone goes to WithAttributes. It
// keeps the rules of package discover and takes its options.
//
// It lists the slices, and then watches from that version. They are listed again
// after WithRefresh's max, for a watch that is cut off may say nothing, and when a
// watch has ended. A fleet of thousands of clients sets that to minutes. The client,
// a clientset's DiscoveryV1 or one of its own, may list and watch endpointslices.
func Slices(client typed.EndpointSlicesGetter, namespace, service, port string, opts ...discover.Option) rxgo.Observable {
	name := fmt.Sprintf("kube %s/%s", namespace, service)
	return discover.Watch(name, func(ctx context.Context, changed func()) discover.Look {
		s := &slices{namespace: namespace, port: port, only: labels.Set{slicesv1.LabelServiceName: service}.String()}
		return func(within context.Context) (discover.Answer, error) {
			if client == nil {
				return discover.Answer{}, errors.New("the client is nil")
			}
			s.client = client.EndpointSlices(namespace)
			if !s.apply() {
				if err := s.list(within); err != nil {
					return discover.Answer{}, err
				}
			}
			wrong := s.watch(ctx, changed)
			a := s.answer()
			a.Wrong = wrong
			return a, nil
		}
	}, opts...)
}

// slices are what one subscriber knows. Looks use them one after the other; the
// watch has its own part.
type slices struct {
	client          typed.EndpointSliceInterface
	namespace, port string
	only            string // the label selector
	byName          map[string]*slicesv1.EndpointSlice
	version         string // of the last list

	mu       sync.Mutex // of what follows
	watching bool
	stop     context.CancelFunc // ends the watch
	events   []watch.Event
	ended    error // why the last watch has; nil: nothing to report
}

// apply puts in what the watch has brought. False: nothing, or it has missed some.
func (s *slices) apply() bool {
	s.mu.Lock()
	events, whole := s.events, s.watching
	s.events = nil
	s.mu.Unlock()
	if !whole || len(events) == 0 {
		return false
	}
	for _, e := range events {
		slice := e.Object.(*slicesv1.EndpointSlice)
		if e.Type == watch.Deleted {
			delete(s.byName, slice.Name)
		} else {
			s.byName[slice.Name] = slice
		}
	}
	return true
}

// list lists all slices. A watch from an earlier version may have brought what is
// older than that: it begins anew.
func (s *slices) list(ctx context.Context) error {
	list, err := s.client.List(ctx, metav1.ListOptions{LabelSelector: s.only})
	if err != nil {
		return err
	}
	s.byName, s.version = make(map[string]*slicesv1.EndpointSlice, len(list.Items)), list.ResourceVersion
	for i := range list.Items {
		s.byName[list.Items[i].Name] = &list.Items[i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watching {
		s.stop()
		s.watching = false
	}
	return nil
}

// watch begins to watch from what was listed, if nothing does, and returns why the
// last watch has ended.
func (s *slices) watch(ctx context.Context, changed func()) (ended error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended, s.ended = s.ended, nil
	if s.watching {
		return ended
	}
	within, stop := context.WithCancel(ctx)
	s.watching, s.stop, s.events = true, stop, nil
	version, client := s.version, s.client
	go func() {
		defer stop()
		err := s.follow(within, client, version, changed)
		s.mu.Lock()
		replaced := within.Err() != nil
		if !replaced {
			s.watching, s.ended = false, err
		}
		s.mu.Unlock()
		select { // a watch that ends at once must not make many looks
		case <-time.After(again):
			changed()
		case <-within.Done():
		}
	}()
	return ended
}

// follow collects events until the watch ends, which the API server has it do every
// few minutes: that is no error.
func (s *slices) follow(ctx context.Context, client typed.EndpointSliceInterface, version string, changed func()) error {
	w, err := client.Watch(ctx, metav1.ListOptions{LabelSelector: s.only, ResourceVersion: version})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer w.Stop()
	for {
		select {
		case event, more := <-w.ResultChan():
			if !more {
				return nil
			}
			if event.Type == watch.Error {
				return fmt.Errorf("the watch ended: %w", apierrors.FromObject(event.Object))
			}
			if _, ok := event.Object.(*slicesv1.EndpointSlice); !ok {
				return fmt.Errorf("the watch brought a %T", event.Object)
			}
			s.mu.Lock()
			if ctx.Err() == nil { // else another watch has begun
				s.events = append(s.events, event)
			}
			s.mu.Unlock()
			changed()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// answer is the union of all slices: an endpoint moves from one to another by being
// in both for a time.
func (s *slices) answer() discover.Answer {
	a := discover.Answer{Servers: map[string]rover.Server{}, Known: map[string]discover.Attribute{}, Good: math.MaxInt64}
	for _, slice := range s.byName {
		for _, port := range slice.Ports {
			if port.Port == nil || s.port != "" && (port.Name == nil || *port.Name != s.port) {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if ready := endpoint.Conditions.Ready; ready != nil && !*ready {
					continue
				}
				for _, address := range endpoint.Addresses {
					server := rover.Server{Host: address, Port: int(*port.Port)}
					id := net.JoinHostPort(address, strconv.Itoa(server.Port))
					a.Servers[id] = server
					if endpoint.Zone != nil {
						a.Known[id] = discover.Attribute{Zone: *endpoint.Zone}
					}
				}
			}
		}
	}
	return a
}
