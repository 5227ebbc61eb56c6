package pool_test

//lint:file-ignore SA1019 what is deprecated is tried too

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// Requests that are called off at any moment and in every way leave nothing
// behind: no goroutine, wait, loan or descriptor; and each answer is that of its
// request.
func TestTransportLeavesNothingBehind(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 4, func(w http.ResponseWriter, r *http.Request) {
			<-time.After(rand.N(time.Millisecond))
			echo(w, r)
		}, nil)
		refill(t, s, 4)
		before, sockets := runtime.NumGoroutine(), kit.Sockets()
		root, stop := context.WithCancel(context.Background()) // what stays in it would be seen
		defer stop()
		var answered, off atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := range 200 {
					want := fmt.Sprint("load ", i)
					ctx, cancel := context.WithCancel(root)
					req, err := http.NewRequestWithContext(ctx, "POST", s.url, strings.NewReader(want))
					if err != nil {
						t.Error(err)
						cancel()
						return
					}
					client := s.client
					var timer *time.Timer
					after := rand.N(2 * time.Millisecond)
					switch i % 5 {
					case 0:
						timer = time.AfterFunc(after, cancel)
					case 1:
						done := make(chan struct{})
						req.Cancel = done
						timer = time.AfterFunc(after, func() { close(done) })
					case 2:
						client = &http.Client{Transport: s.transport, Timeout: after + 1}
					case 3: // the body is not read
						resp, err := client.Do(req)
						if err == nil {
							resp.Body.Close()
						}
						cancel()
						continue
					}
					got, err := read(client.Do(req))
					switch {
					case err == nil && got == want:
						answered.Add(1)
					case err != nil:
						off.Add(1)
					default:
						t.Errorf("got %q, want %q", got, want)
					}
					if timer != nil {
						timer.Stop()
					}
					cancel()
				}
			})
		}
		all.Wait()
		s.atRest(t)
		// The server's are counted too, and it takes its time: a few are no leak of 1,600 requests.
		kit.Within(t, "hardly more goroutines", 10*time.Second, func() bool { return runtime.NumGoroutine() <= before+6 })
		kit.Within(t, "hardly more sockets", 10*time.Second, func() bool { return kit.Sockets() <= sockets+6 })
		t.Logf("%d answered, %d called off", answered.Load(), off.Load())
	})
}

// A pool without a connection: a request waits as long as its context, says why
// there was none, and leaves nothing.
func TestTransportWaitsNoLongerThanItsContext(t *testing.T) {
	p := newPool(t, 3)
	c := client(t, p, nil)
	mine := errors.New("mine")
	before := runtime.NumGoroutine()
	for range 50 {
		ctx, cancel := context.WithCancelCause(context.Background())
		timer := time.AfterFunc(time.Millisecond, func() { cancel(mine) })
		_, err := c.Do(kit.Must(http.NewRequestWithContext(ctx, "GET", "http://pool/", nil))(t))
		var why *pool.WaitError
		if !errors.Is(err, mine) || !errors.As(err, &why) {
			t.Fatalf("got %v", err)
		}
		timer.Stop()
	}
	kit.Equal(t, "waiting", p.Stats().Waiting, 0)
	kit.Within(t, "no more goroutines", 10*time.Second, func() bool { return runtime.NumGoroutine() <= before })
	done := make(chan struct{})
	close(done)
	req := kit.Must(http.NewRequest("GET", "http://pool/", nil))(t)
	req.Cancel = done
	if _, err := c.Do(req); err == nil {
		t.Fatal("answered")
	}
	p.Close()
	if _, err := c.Get("http://pool/"); !errors.Is(err, pool.ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

// 32 callers on 3 connections wait, and go.
func TestTransportManyCallers(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 3, echo, nil)
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				for n := range 30 {
					want := fmt.Sprint(i, " ", n)
					if got, err := read(s.client.Post(s.url, "text/plain", strings.NewReader(want))); got != want {
						t.Error(got, err)
						return
					}
				}
			})
		}
		all.Wait()
		st := s.Stats()
		kit.Equal(t, "waiting", st.Waiting, 0)
		kit.Equal(t, "accepted", st.Accepted, 3)
		s.atRest(t)
	})
}

// CloseIdleConnections ends what no request is on, and nothing else.
func TestTransportClosesIdle(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		goOn := make(chan bool)
		s := openWeb(t, proto, 4, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			if strings.HasSuffix(r.URL.Path, "slow") {
				<-goOn
			}
		}, nil)
		for range 8 {
			kit.Must(read(s.client.Get(s.url)))(t)
		}
		resp := kit.Must(s.client.Get(s.url + "slow"))(t)
		kit.Equal(t, "lent", s.Stats().Lent, 4)
		s.client.CloseIdleConnections()
		kit.Within(t, "one is left", 10*time.Second, func() bool { return s.Stats().Lent == 1 })
		close(goOn)
		kit.Must(read(resp, nil))(t)
		s.client.CloseIdleConnections()
		kit.Within(t, "none is left", 10*time.Second, func() bool { return s.Stats().Lent == 0 })
	})
}

// A server that closes after each answer: every connection serves one request,
// and the next is taken at once.
func TestTransportConnectionClose(t *testing.T) {
	for _, who := range []string{"server", "request", "client"} {
		t.Run(who, func(t *testing.T) {
			s, base, url := serveHTTP(t, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if who == "server" {
					w.Header().Set("Connection", "close")
				}
				echo(w, r)
			}), nil)
			base.DisableKeepAlives = who == "client"
			p := newPool(t, 3)
			c := client(t, p, base)
			for slot := range 60 {
				connect(t, p, s, 1)
				req := kit.Must(http.NewRequest("POST", url, io.LimitReader(strings.NewReader("load"), 4)))(t)
				req.Close = who == "request"
				if got, err := read(c.Do(req)); got != "load" {
					t.Fatal(slot, got, err)
				}
				kit.Within(t, "it is closed", 10*time.Second, func() bool { return p.Stats().Kept == 0 })
			}
		})
	}
}
