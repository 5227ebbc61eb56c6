package consul_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/discover/consul"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/lab/sources"
)

// A fake is the part of Consul's HTTP API that is used. It is no Consul.
type fake struct {
	mu        sync.Mutex
	index     int
	instances []map[string]any
	fail      http.HandlerFunc
	changed   chan struct{} // closed at the next change
	asked     int
	url       string
}

func newFake(t testing.TB) *fake {
	f := &fake{index: 7, instances: []map[string]any{}, changed: make(chan struct{})}
	s := httptest.NewServer(f)
	f.url = s.URL
	t.Cleanup(func() { f.change(func() {}); s.CloseClientConnections(); s.Close() })
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	seen, _ := strconv.Atoi(query.Get("index"))
	wait, _ := time.ParseDuration(query.Get("wait"))
	f.mu.Lock()
	f.asked++
	if f.fail == nil && seen == f.index {
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(wait):
		case <-r.Context().Done():
		}
		f.mu.Lock()
	}
	fail, index := f.fail, f.index
	body, err := json.Marshal(f.instances)
	f.mu.Unlock()
	if fail != nil {
		fail(w, r)
		return
	}
	if err != nil || r.URL.Path != "/v1/health/service/slot" || query.Get("passing") != "1" {
		http.Error(w, "unexpected "+r.URL.String(), http.StatusNotFound)
		return
	}
	w.Header().Set("X-Consul-Index", fmt.Sprint(index))
	_, _ = w.Write(body)
}

func (f *fake) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	close(f.changed)
	f.changed = make(chan struct{})
}

func instance(id string, s rover.Server) map[string]any {
	return map[string]any{
		"Node":    map[string]any{"Node": "n", "Address": "127.9.9.9", "Datacenter": "dc1"},
		"Service": map[string]any{"ID": id, "Address": s.Host, "Port": s.Port, "Weights": map[string]int{"Passing": 3}},
	}
}

// put makes these the instances.
func (f *fake) put(servers map[string]rover.Server) {
	f.change(func() {
		f.fail, f.instances = nil, []map[string]any{}
		f.index++
		for id, s := range servers {
			f.instances = append(f.instances, instance(id, s))
		}
	})
}

// short are the ids without the node's name, as the suite has them.
func short(_ context.Context, v any) (any, error) {
	set := map[string]rover.Server{}
	for id, s := range v.(map[string]rover.Server) {
		set[strings.TrimPrefix(id, "n/")] = s
	}
	return set, nil
}

func TestWatchStandsTheSuite(t *testing.T) {
	sources.Run(t, func(t testing.TB) *sources.Rig {
		f := newFake(t)
		client := kit.Must(api.NewClient(&api.Config{Address: f.url}))(t)
		fails := func(how http.HandlerFunc) func() { return func() { f.change(func() { f.fail = how }) } }
		return &sources.Rig{
			Own: []string{"rover/discover/consul.", "rover/discover."},
			Open: func(opts ...discover.Option) rxgo.Observable {
				return consul.Watch(client, "slot", opts...).Map(short)
			},
			Put: f.put,
			Fail: map[string]func(){
				"no leader": fails(func(w http.ResponseWriter, _ *http.Request) {
					http.Error(w, "No cluster leader", http.StatusInternalServerError)
				}),
				"refusal":  fails(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "ACL not found", http.StatusForbidden) }),
				"nonsense": fails(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }),
				"half an answer": fails(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Length", "1000")
					fmt.Fprint(w, `[{"Node":{"Node":"n"`)
				}),
				"silence": fails(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
				"reset":   fails(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			},
			Spoil: func(id string) {
				f.change(func() {
					f.index++
					f.instances = append(f.instances, instance(id, rover.Server{Host: "127.0.0.1", Port: 99999}))
				})
			},
			Twice:   func() { f.change(func() { f.index++; f.instances = append(f.instances, f.instances...) }) },
			Restart: func() { f.change(func() { f.index = 2 }) }, // a snapshot was restored
		}
	})
}

// An instance without an address is where its node is; what else is known is noted.
func TestAttributesAndTheNodesAddress(t *testing.T) {
	f := newFake(t)
	f.put(map[string]rover.Server{"a": {Port: 1}})
	client := kit.Must(api.NewClient(&api.Config{Address: f.url}))(t)
	var known discover.Attributes
	ctx, cancel := context.WithCancel(t.Context())
	items := consul.Watch(client, "slot", discover.WithAttributes(&known)).Observe(rxgo.WithContext(ctx))
	kit.Equal(t, "set", fmt.Sprint((<-items).V), "map[n/a:127.9.9.9:1]")
	kit.Equal(t, "attribute", known.Of("n/a"), discover.Attribute{Weight: 3, Zone: "dc1"})
	cancel()
	for range items {
	}
}

// What has not changed is not asked for again and again: a question waits.
func TestQuestionsWait(t *testing.T) {
	f := newFake(t)
	f.put(sources.Servers(0, 3))
	client := kit.Must(api.NewClient(&api.Config{Address: f.url}))(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(time.Second, cancel).Stop()
	for range consul.Watch(client, "slot", discover.WithRefresh(time.Millisecond, time.Millisecond), discover.WithTimeout(time.Minute)).Observe(rxgo.WithContext(ctx)) {
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked != 2 {
		t.Errorf("it asked %d times, want once at once and once to wait", f.asked)
	}
}
