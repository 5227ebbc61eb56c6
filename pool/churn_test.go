package pool_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// TestHTTPWhileServersChange has net/http on both sides: 1,000 requests over
// rover, pool and slot servers, of which one joins, leaves or restarts after
// every hundred. No request fails.
func TestHTTPWhileServersChange(t *testing.T) {
	r := kit.Must(rover.New(rover.WithInterval(time.Millisecond), rover.WithLogger(kit.Quiet())))(t)
	p := newPool(t, 6)
	p.Attach(context.Background(), r.Connections())
	town := &town{rover: r, servers: map[string]*site{}}
	for _, id := range []string{"a", "b", "c"} {
		town.open(t, id, "127.0.0.1:0")
	}
	kit.Check(t, r.Start(context.Background()))
	c := client(t, p, nil)

	var requests sync.WaitGroup
	done := make(chan struct{}, 1000)
	for range 8 {
		requests.Go(func() {
			for range 125 {
				if got, err := send(c, "GET", "http://pool/", ""); err != nil || got != "hello" {
					t.Errorf("got %q, %v", got, err)
				}
				done <- struct{}{}
			}
		})
	}
	for n := range 1000 {
		<-done
		switch n {
		case 100:
			town.open(t, "d", "127.0.0.1:0")
		case 200:
			town.shut(t, "a")
		case 300:
			town.open(t, "b", town.shut(t, "b"))
		case 400:
			town.open(t, "e", "127.0.0.1:0")
		case 500:
			town.shut(t, "c")
		case 600:
			town.open(t, "d", town.shut(t, "d"))
		case 700:
			town.open(t, "a", "127.0.0.1:0")
		case 800:
			town.open(t, "e", town.shut(t, "e"))
		}
	}
	requests.Wait()
	r.Stop()
	if s := p.Stats(); s.Lost+s.Causes[pool.Drained] == 0 {
		t.Error("no connection was lost or drained: the servers did not go")
	}
	p.Close()
	c.CloseIdleConnections()
	served := 0
	for id := range town.servers {
		town.shut(t, id)
	}
	for id, n := range town.served {
		t.Logf("%s answered %d", id, n)
		served += n
	}
	if served < 1000 {
		t.Errorf("%d requests were answered", served)
	}
}

type town struct {
	rover   *rover.Stream
	servers map[string]*site
	served  map[string]int
}

// A site is one HTTP server.
type site struct {
	http.Server
	listener net.Listener
	serving  sync.WaitGroup
	answered atomic.Int64

	mu      sync.Mutex
	leaving bool
	unused  map[net.Conn]bool // those nobody has sent a request on yet
}

func (w *town) open(t *testing.T, id, address string) {
	t.Helper()
	s := &site{listener: kit.Must(server.Listen("tcp", address))(t), unused: map[net.Conn]bool{}}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answered.Add(1)
		fmt.Fprint(w, "hello")
	})
	s.ConnState = s.note
	s.serving.Go(func() { s.Serve(s.listener) })
	at := s.listener.Addr().(*net.TCPAddr)
	kit.Check(t, w.rover.AddServer(id, rover.Server{Host: at.IP.String(), Port: at.Port}))
	w.servers[id] = s
}

// note closes what is new on a server that leaves: Shutdown would wait 5 s for
// a first request.
func (s *site) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unused, c)
	if state != http.StateNew {
		return
	}
	if s.leaving {
		c.Close()
	} else {
		s.unused[c] = true
	}
}

// shut lets the server finish what it has begun and returns its address.
func (w *town) shut(t *testing.T, id string) (address string) {
	t.Helper()
	s := w.servers[id]
	delete(w.servers, id)
	w.rover.DropServer(id)
	s.mu.Lock()
	s.leaving = true
	for c := range s.unused {
		c.Close()
	}
	s.mu.Unlock()
	kit.Check(t, s.Shutdown(context.Background()))
	s.serving.Wait()
	if w.served == nil {
		w.served = map[string]int{}
	}
	w.served[id] += int(s.answered.Load())
	return s.listener.Addr().String()
}
