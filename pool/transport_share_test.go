package pool_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

func hello(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, r.Host)
	if r.TLS != nil {
		fmt.Fprint(w, " by ", r.TLS.ServerName)
	}
}

// refill offers p connections whenever it has less than max, as a rover would.
func refill(t testing.TB, s *webSite, max int) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s.Stats().Kept < max {
					offerTo(s.Pool, s.server, "a", 1)
				}
			}
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
}

// A Transport has used all connections. Who waits for one in the pool gets one
// that no request is on, as it was when HTTP/1.1 is plain.
func TestTransportGivesToWhoWaits(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 3, hello, nil)
		for range 6 {
			kit.Must(read(s.client.Get(s.url)))(t)
		}
		kit.Equal(t, "lent", s.Stats().Lent, 3)
		if proto != "HTTP/1.1" {
			refill(t, s, 3)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for range 3 {
			c := kit.Must(s.Get(ctx))(t)
			defer c.Close()
			if proto == "HTTP/1.1" {
				fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: by-hand\r\n\r\n")
				b := make([]byte, 1000)
				n := kit.Must(c.Read(b))(t)
				if !strings.HasSuffix(string(b[:n]), "by-hand") {
					t.Errorf("got %q", b[:n])
				}
			}
		}
		if proto == "HTTP/1.1" {
			kit.Equal(t, "closed", s.Stats().Closed+s.Stats().Lost, 0)
		}
	})
}

// The same when the Transport is never without requests: who waits first is
// served first.
func TestTransportGivesToWhoWaitsUnderLoad(t *testing.T) {
	each(t, protocols[:2], func(t *testing.T, proto string) {
		s := openWeb(t, proto, 3, hello, nil)
		refill(t, s, 3)
		ctx, cancel := context.WithCancel(context.Background())
		var load sync.WaitGroup
		for range 32 {
			load.Go(func() {
				for ctx.Err() == nil {
					if _, err := read(s.client.Get(s.url)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 20 {
			wait, stop := context.WithTimeout(ctx, 10*time.Second)
			c, err := s.Get(wait)
			stop()
			if err != nil {
				t.Error(err)
				break
			}
			c.Close()
		}
		cancel()
		load.Wait()
		s.atRest(t)
	})
}

// Two Transports come to about the same number of connections.
func TestTransportsShare(t *testing.T) {
	s := openWeb(t, "HTTP/1.1", 10, hello, nil)
	second := client(t, s.Pool, nil)
	for range 20 {
		kit.Must(read(s.client.Get(s.url)))(t)
	}
	var on sync.Map
	for range 10 {
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				ctx, used := pool.TraceConn(context.Background())
				req, _ := http.NewRequestWithContext(ctx, "GET", s.url, nil)
				if _, err := read(second.Do(req)); err != nil {
					t.Error(err)
				}
				on.Store(used(), true)
			})
		}
		all.Wait()
	}
	n := 0
	on.Range(func(any, any) bool { n++; return true })
	if n < 3 || n > 10 {
		t.Errorf("the second had %d of 10", n)
	}
	kit.Equal(t, "closed", s.Stats().Closed+s.Stats().Lost, 0)
	kit.Must(read(s.client.Get(s.url)))(t)
}

// Transports made for a request each leave nothing that others cannot have.
func TestTransportsMadeForOneRequest(t *testing.T) {
	s := openWeb(t, "HTTP/1.1", 2, hello, nil)
	for range 50 {
		c := &http.Client{Transport: s.Transport(nil)}
		t.Cleanup(c.CloseIdleConnections)
		mustAnswer(t, c, s.url, "example.com")
	}
	kit.Equal(t, "kept", s.Stats().Kept, 2)
	kit.Equal(t, "accepted", s.Stats().Accepted, 2)
}

// Names of one certificate share connections; a name that it does not cover, or
// that says that it is asked on the wrong one, has its own; names that nothing is
// verified for have their own.
func TestTransportNames(t *testing.T) {
	wrong := false
	s := openWeb(t, "HTTP/1.1 in TLS", 2, func(w http.ResponseWriter, r *http.Request) {
		if wrong && r.TLS.ServerName != r.Host {
			w.WriteHeader(http.StatusMisdirectedRequest)
		}
		hello(w, r)
	}, nil)
	refill(t, s, 2)
	mustAnswer(t, s.client, "https://example.com/", "example.com by example.com")
	mustAnswer(t, s.client, "https://example.com/", "example.com by example.com") // both are taken
	mustAnswer(t, s.client, "https://a.example.com/", "a.example.com by example.com")
	mustAnswer(t, s.client, "https://EXAMPLE.com/", "EXAMPLE.com by example.com")
	kit.Equal(t, "accepted", s.Stats().Accepted, 2)
	wrong = true
	mustAnswer(t, s.client, "https://b.example.com/", "b.example.com by b.example.com")
	mustAnswer(t, s.client, "https://b.example.com/", "b.example.com by b.example.com")
	if _, err := read(s.client.Get("https://example.org/")); err == nil || !strings.Contains(err.Error(), "example.org") {
		t.Errorf("a name that the certificate is not for: %v", err)
	}
	s.client.CloseIdleConnections()
	wrong = false

	base := s.server.Client().Transport.(*http.Transport).Clone()
	base.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error { return nil }
	picky := client(t, s.Pool, base)
	kit.Within(t, "two for it", 10*time.Second, func() bool { return s.Stats().Idle == 2 })
	for range 2 { // takes both
		mustAnswer(t, picky, "https://example.com/", "example.com by example.com")
	}
	mustAnswer(t, picky, "https://a.example.com/", "a.example.com by a.example.com")
	picky.CloseIdleConnections()

	config := &tls.Config{InsecureSkipVerify: true}
	loose := client(t, s.Pool, &http.Transport{TLSClientConfig: config})
	for range 3 {
		mustAnswer(t, loose, "https://one.test/", "one.test by one.test")
		mustAnswer(t, loose, "https://two.test/", "two.test by two.test")
		mustAnswer(t, loose, "https://three.test/", "three.test by three.test")
	}
	config.ServerName = "example.com"
	named := client(t, s.Pool, &http.Transport{TLSClientConfig: config})
	mustAnswer(t, named, "https://one.test/", "one.test by example.com")
}

// Plain names share all connections: a second host never waits for the first's.
func TestTransportHosts(t *testing.T) {
	s := openWeb(t, "HTTP/1.1", 2, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "http://other.test/", http.StatusFound)
			return
		}
		hello(w, r)
	}, nil)
	for range 10 {
		for _, host := range []string{"one.test", "two.test", "three.test"} {
			mustAnswer(t, s.client, "http://"+host+"/", host)
		}
		mustAnswer(t, s.client, "http://one.test/old", "other.test")
	}
	kit.Equal(t, "accepted", s.Stats().Accepted, 2)
}

// One who waits, and holds as many, gets a connection once it was unused for a
// while, although nothing else happens then.
func TestTransportGivesWhatItDoesNotUse(t *testing.T) {
	goOn := make(chan bool)
	s := openWeb(t, "HTTP/1.1", 2, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		if r.URL.Path == "/slow" {
			<-goOn
		}
	}, nil)
	second := client(t, s.Pool, nil)
	for range 2 {
		kit.Must(read(s.client.Get(s.url)))(t)
	}
	long := kit.Must(second.Get(s.url + "slow"))(t)
	kit.Must(read(s.client.Get(s.url)))(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	kit.Must(read(second.Do(kit.Must(http.NewRequestWithContext(ctx, "GET", s.url, nil))(t))))(t)
	goOn <- true
	kit.Must(read(long, nil))(t)
	kit.Equal(t, "closed", s.Stats().Closed+s.Stats().Lost, 0)
}
