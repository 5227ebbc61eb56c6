package kube_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	slicesv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/rest"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/discover/kube"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/lab/sources"
)

// A fake is list and watch of the EndpointSlices of one service, as the API server
// has them. It is no API server.
type fake struct {
	mu      sync.Mutex
	version int
	slices  map[string]*slicesv1.EndpointSlice
	log     []event // all of them, since the oldest
	oldest  int     // version; a watch from before is 410 Gone
	fail    http.HandlerFunc
	changed chan struct{} // closed at the next change
	listed  int
	url     string
}

type event struct {
	version int
	Type    string `json:"type"`
	Object  any    `json:"object"`
}

func newFake(t testing.TB) *fake {
	f := &fake{version: 5, slices: map[string]*slicesv1.EndpointSlice{}, changed: make(chan struct{})}
	s := httptest.NewServer(f)
	f.url = s.URL
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return f
}

func (f *fake) client(t testing.TB) *typed.DiscoveryV1Client {
	return kit.Must(typed.NewForConfig(&rest.Config{Host: f.url, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}))(t)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.URL.Path != "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices" || query.Get("labelSelector") != "kubernetes.io/service-name=slot" {
		http.Error(w, "unexpected "+r.URL.String(), http.StatusTeapot)
		return
	}
	f.mu.Lock()
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		fail(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if query.Get("watch") == "" {
		f.list(w)
		return
	}
	var from int
	fmt.Sscan(query.Get("resourceVersion"), &from)
	f.watch(w, r, from)
}

func (f *fake) list(w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed++
	list := slicesv1.EndpointSliceList{TypeMeta: metav1.TypeMeta{Kind: "EndpointSliceList", APIVersion: "discovery.k8s.io/v1"}, ListMeta: metav1.ListMeta{ResourceVersion: fmt.Sprint(f.version)}}
	for _, s := range f.slices {
		list.Items = append(list.Items, *s)
	}
	_ = json.NewEncoder(w).Encode(list)
}

func (f *fake) watch(w http.ResponseWriter, r *http.Request, from int) {
	w.(http.Flusher).Flush()
	for {
		f.mu.Lock()
		changed, gone, failed := f.changed, from < f.oldest, f.fail != nil
		var news []event
		for _, e := range f.log {
			if e.version > from {
				news = append(news, e)
				from = e.version
			}
		}
		f.mu.Unlock()
		if failed {
			return
		}
		if gone {
			news = []event{{Type: "ERROR", Object: metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: metav1.StatusReasonExpired, Code: 410, Message: "too old resource version"}}}
		}
		for _, e := range news {
			_ = json.NewEncoder(w).Encode(e)
		}
		w.(http.Flusher).Flush()
		if gone {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	close(f.changed)
	f.changed = make(chan struct{})
}

// put makes these the endpoints of a slice.
func (f *fake) put(name string, servers map[string]rover.Server) {
	f.change(func() {
		f.fail = nil
		f.version++
		slice := &slicesv1.EndpointSlice{
			TypeMeta:   metav1.TypeMeta{Kind: "EndpointSlice", APIVersion: "discovery.k8s.io/v1"},
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "prod", ResourceVersion: fmt.Sprint(f.version)},
			Ports:      []slicesv1.EndpointPort{{Name: new("slot"), Port: new(int32(4040))}, {Name: new("other"), Port: new(int32(1))}},
		}
		for _, s := range servers {
			slice.Ports[0].Port = new(int32(s.Port))
			slice.Endpoints = append(slice.Endpoints, slicesv1.Endpoint{Addresses: []string{s.Host}, Zone: new("z1")})
		}
		slice.Endpoints = append(slice.Endpoints, slicesv1.Endpoint{Addresses: []string{"127.8.8.8"}, Conditions: slicesv1.EndpointConditions{Ready: new(false)}})
		f.slices[name] = slice
		f.log = append(f.log, event{f.version, "MODIFIED", slice})
	})
}

func TestSlicesStandTheSuite(t *testing.T) {
	sources.Run(t, func(t testing.TB) *sources.Rig {
		f := newFake(t)
		client := f.client(t)
		fails := func(how http.HandlerFunc) func() { return func() { f.change(func() { f.fail = how }) } }
		return &sources.Rig{
			Own: []string{"rover/discover/kube.", "rover/discover.", "watch.(*StreamWatcher)"},
			Open: func(opts ...discover.Option) rxgo.Observable {
				return kube.Slices(client, "prod", "slot", "slot", opts...)
			},
			Put: func(servers map[string]rover.Server) { f.put("a", servers) },
			Fail: map[string]func(){
				"outage":   fails(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }),
				"refusal":  fails(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }),
				"nonsense": fails(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }),
				"half an answer": fails(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Length", "1000")
					fmt.Fprint(w, `{"kind":"EndpointSliceList","items":[`)
				}),
				"silence": fails(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
				"reset":   fails(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			},
			Twice: func() { f.put("b", sources.Servers(1, 1)) },
			Restart: func() { // another cluster: its versions are lower
				f.change(func() { f.version, f.log, f.oldest = 1, nil, 0 })
			},
		}
	})
}

// next is the next set; faults are logged.
func next(t *testing.T, items <-chan rxgo.Item) map[string]rover.Server {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case item, more := <-items:
			if !more {
				t.Fatal("the source has ended")
			}
			if !item.Error() {
				return item.V.(map[string]rover.Server)
			}
			t.Log(item.E)
		case <-limit:
			t.Fatal("no set came")
		}
	}
}

// With looks an hour apart, what comes has come by the watch.
func TestTheWatchBringsChanges(t *testing.T) {
	f := newFake(t)
	f.put("a", sources.Servers(0, 1))
	var known discover.Attributes
	ctx, cancel := context.WithCancel(t.Context())
	items := kube.Slices(f.client(t), "prod", "slot", "slot", discover.WithRefresh(time.Hour, time.Hour), discover.WithAttributes(&known)).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	kit.Equal(t, "servers", len(next(t, items)), 1)
	kit.Equal(t, "zone", known.Of("127.0.0.1:4040").Zone, "z1")
	f.put("b", sources.Servers(1, 120)) // in a second slice
	kit.Equal(t, "servers", len(next(t, items)), 121)
	f.change(func() { // the watch is told that it is too old
		f.oldest, f.log = f.version+1, nil
	})
	f.put("a", sources.Servers(0, 0))
	kit.Equal(t, "servers", len(next(t, items)), 120)
	cancel()
	for range items {
	}
}
