package pool_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// Ten servers, two connections to each: the busiest has at most 1.10 times the
// mean of the requests, whatever the protocol and the number at once.
func TestTransportSpreads(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		var hits [10]atomic.Int64
		p := newPool(t, 20)
		var c *http.Client
		var url string
		for i := range hits {
			s, base, at := serveHTTP(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hits[i].Add(1)
				<-time.After(time.Millisecond) // of nothing at all, 64 at once measure the scheduler
				fmt.Fprint(w, "ok")
			}), nil)
			for range 2 {
				kit.Equal(t, "kept", offerTo(p, s, fmt.Sprint(i), 0), true)
			}
			if c == nil {
				c, url = client(t, p, base), at
			}
		}
		for _, atOnce := range []int{1, 4, 16, 64} {
			for i := range hits {
				hits[i].Store(0)
			}
			var all sync.WaitGroup
			for range atOnce {
				all.Go(func() {
					for range 100 + 300/atOnce {
						if got, err := read(c.Get(url)); got != "ok" {
							t.Error(got, err)
							return
						}
					}
				})
			}
			all.Wait()
			var most, sum int64
			for i := range hits {
				most, sum = max(most, hits[i].Load()), sum+hits[i].Load()
			}
			ratio := float64(most) * 10 / float64(sum)
			t.Logf("%d at once: %.3f", atOnce, ratio)
			if ratio > 1.10 {
				t.Errorf("%d at once: the busiest has %.3f times the mean", atOnce, ratio)
			}
		}
	})
}

// A server that joins gets its share at once: of connections that are new to the
// Transport the next requests come first.
func TestTransportUsesWhatIsNew(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 3, hello, nil)
		for range 9 {
			kit.Must(read(s.client.Get(s.url)))(t)
		}
		var hits atomic.Int64
		joined, _, _ := serveHTTP(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hits.Add(1) }), nil)
		kit.Equal(t, "kept", offerTo(s.Pool, joined, "b", 0), true)
		for range 9 {
			kit.Must(read(s.client.Get(s.url)))(t)
		}
		kit.Equal(t, "of 9 requests over 3 connections", hits.Load(), 3)
	})
}

// HTTP/2 that is never without requests: the replaced connection ends all the
// same, and the new one gets its share.
func TestTransportBusyHTTP2Follows(t *testing.T) {
	each(t, protocols[2:], func(t *testing.T, proto string) {
		goOn := make(chan bool)
		s := openWeb(t, proto, 1, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			if strings.HasSuffix(r.URL.Path, "slow") {
				<-goOn
			}
		}, nil)
		var long []*http.Response
		for range 5 {
			long = append(long, kit.Must(s.client.Get(s.url+"slow"))(t))
		}
		var hits atomic.Int64
		better, _, _ := serveHTTP(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hits.Add(1) }), nil)
		kit.Equal(t, "kept", offerTo(s.Pool, better, "b", 0), true)
		kit.Equal(t, "leaving", s.Stats().Leaving, 1)
		for i := range 5 {
			kit.Must(read(s.client.Get(s.url)))(t)
			kit.Equal(t, "new requests", hits.Load(), int64(i+1))
			goOn <- true
			kit.Must(read(long[i], nil))(t)
		}
		kit.Within(t, "the old one is closed", 10*time.Second, func() bool { return s.Stats().Leaving == 0 })
	})
}

// A server that allows 2 requests at once on a connection: nobody fails, and
// nobody waits for ever.
func TestTransportStreamLimit(t *testing.T) {
	each(t, protocols[2:], func(t *testing.T, proto string) {
		var now, most atomic.Int64
		s := openWeb(t, proto, 3, func(w http.ResponseWriter, r *http.Request) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			echo(w, r)
			now.Add(-1)
		}, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2} })
		var early atomic.Int64
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range 50 {
					got, err := read(s.client.Post(s.url, "text/plain", strings.NewReader("load")))
					if err != nil && strings.Contains(err.Error(), "PROTOCOL_ERROR") && early.Add(1) <= 5 {
						continue // net/http's server counts a stream for a moment after its answer has ended
					}
					if got != "load" {
						t.Error(got, err)
					}
				}
			})
		}
		all.Wait()
		if most.Load() > 6 {
			t.Errorf("%d at once on 3 connections of 2", most.Load())
		}
		if st := s.Stats(); st.Waiting > 0 || st.Kept != 3 {
			t.Errorf("%+v", st)
		}
	})
}

// On connections that are full nobody waits: the request waits for whichever has
// room first.
func TestTransportWaitsForAnyStream(t *testing.T) {
	each(t, protocols[2:], func(t *testing.T, proto string) {
		goOn := []chan bool{make(chan bool), make(chan bool)}
		s := openWeb(t, proto, 2, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			if n := strings.TrimPrefix(r.URL.Path, "/"); n != "" {
				<-goOn[n[0]-'0']
			}
		}, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1} })
		for range 2 { // the limit is known
			kit.Must(read(s.client.Get(s.url)))(t)
		}
		for _, last := range []int{1, 0} {
			var long [2]*http.Response
			for i := range long {
				long[i] = kit.Must(s.client.Get(s.url + fmt.Sprint(i)))(t)
			}
			done := make(chan error, 1)
			go func() {
				_, err := read(s.client.Get(s.url))
				done <- err
			}()
			kit.Within(t, "it waits", 10*time.Second, func() bool { return s.Stats().Waiting == 1 })
			goOn[last] <- true
			kit.Must(read(long[last], nil))(t)
			kit.Check(t, <-done)
			goOn[1-last] <- true
			kit.Must(read(long[1-last], nil))(t)
		}
	})
}
