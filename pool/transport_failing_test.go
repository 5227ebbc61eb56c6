//lint:file-ignore SA1019 what is deprecated is tried too

package pool_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// suspensions says whether a server was left alone since. It ends the pool.
func suspensions(p *pool.Pool) func() bool {
	changes := p.Changes().Observe()
	return func() (any bool) {
		p.Close()
		for change := range changes {
			any = any || change.V.(pool.Change).Kind == pool.Suspended
		}
		return any
	}
}

// A server that ends three connections instead of answering is left alone; one
// that answers between is not.
func TestTransportBlames(t *testing.T) {
	for _, between := range []bool{false, true} {
		var fails atomic.Bool
		s := openWeb(t, "HTTP/1.1", 6, func(w http.ResponseWriter, r *http.Request) {
			if fails.Load() {
				panic(http.ErrAbortHandler)
			}
		}, nil)
		suspended := suspensions(s.Pool)
		ok := func() {
			t.Helper()
			fails.Store(false)
			kit.Must(read(s.client.Get(s.url)))(t)
		}
		for range 6 { // each connection has been of use
			ok()
		}
		for range 3 {
			if between {
				ok()
			}
			fails.Store(true)
			if _, err := read(s.client.Post(s.url, "text/plain", nil)); err == nil {
				t.Fatal("answered")
			}
		}
		kit.Equal(t, "left alone", suspended(), !between)
	}
}

// So is one that takes connections and never answers; not one that is too slow
// for its caller once, nor one whose caller called off.
func TestTransportBlamesWhoHangs(t *testing.T) {
	for name, alone := range map[string]bool{"hangs": true, "slow": false, "called off": false} {
		var hangs atomic.Bool
		goOn := make(chan bool)
		s := openWeb(t, "HTTP/1.1", 5, func(w http.ResponseWriter, r *http.Request) {
			if hangs.Load() {
				select {
				case <-goOn:
				case <-r.Context().Done():
				}
			}
		}, nil)
		for range 5 {
			if name == "slow" {
				kit.Must(read(s.client.Get(s.url)))(t)
			}
		}
		hangs.Store(true)
		suspended := suspensions(s.Pool)
		for range 3 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			if name == "called off" {
				ctx, cancel = context.WithCancel(context.Background())
				time.AfterFunc(10*time.Millisecond, cancel)
			}
			if _, err := read(s.client.Do(kit.Must(http.NewRequestWithContext(ctx, "GET", s.url, nil))(t))); !errors.Is(err, ctx.Err()) || err == nil {
				t.Fatal(err)
			}
			cancel()
		}
		close(goOn)
		kit.Equal(t, name+": left alone", suspended(), alone)
	}
}

// A handshake that the server ends, or does not begin, is tried again elsewhere,
// and held against it; a wrong certificate is returned.
func TestTransportHandshakes(t *testing.T) {
	s, base, url := serveHTTP(t, "HTTP/1.1 in TLS", http.HandlerFunc(hello), nil)
	base.TLSHandshakeTimeout = 50 * time.Millisecond
	p := newPool(t, 3)
	c := client(t, p, base)
	result := make(chan error, 1)
	go func() {
		_, err := read(c.Get(url))
		result <- err
	}()
	keep(t, p, 0, tcp) // it is silent
	ends := keep(t, p, 0, tcp)
	hear(t, ends, 16)
	ends.Close()
	connect(t, p, s, 1)
	kit.Check(t, <-result)
	connect(t, p, s, 2)
	_, err := c.Get(strings.Replace(url, "example.com", "example.org", 1))
	if err == nil || !strings.Contains(err.Error(), "example.org") {
		t.Errorf("got %v", err)
	}
}

// A server that never answers a handshake is left alone.
func TestTransportBlamesSilentHandshakes(t *testing.T) {
	p := newPool(t, 3)
	c := client(t, p, &http.Transport{TLSHandshakeTimeout: 10 * time.Millisecond})
	for range 3 {
		keep(t, p, 0, tcp)
	}
	suspended := suspensions(p)
	if _, err := c.Get("https://example.com/"); err == nil || !strings.Contains(err.Error(), "handshake timeout") {
		t.Errorf("got %v", err)
	}
	kit.Equal(t, "left alone", suspended(), true)
}

// A handshake without a timeout ends with its request; an https URL without a
// name is not asked in plain text.
func TestTransportHandshakesEnd(t *testing.T) {
	p := newPool(t, 2)
	c := client(t, p, &http.Transport{})
	server := keep(t, p, 0, tcp)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Do(kit.Must(http.NewRequestWithContext(ctx, "GET", "https://example.com/", nil))(t))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	kit.Within(t, "it is given up", 10*time.Second, func() bool { st := p.Stats(); return st.Kept == 0 && st.Leaving == 0 })
	server.Close()

	server = keep(t, p, 0, tcp)
	if _, err := c.Get("https://:443/"); err == nil {
		t.Error("no error")
	}
	isClosed(t, server) // and nothing was sent
}

// Requests that fail stay neither in their parent's context nor with their
// Cancel.
func TestTransportForgetsFailedRequests(t *testing.T) {
	s := openWeb(t, "HTTP/1.1", 2, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, nil)
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := runtime.NumGoroutine()
	for i := range 60 {
		offerTo(s.Pool, s.server, "a"+string(rune('0'+i)), 0)
		req := kit.Must(http.NewRequestWithContext(parent, "POST", s.url, nil))(t)
		req.Cancel = make(chan struct{})
		if _, err := s.client.Do(req); err == nil {
			t.Fatal("answered")
		}
	}
	kit.Within(t, "hardly more goroutines", 10*time.Second, func() bool { return runtime.NumGoroutine() <= before+10 })
}
