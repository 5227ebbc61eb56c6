package real

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
	"github.com/coder/websocket"
)

// newWeb is an HTTP server that ends who says nothing within a second.
func newWeb(t *testing.T, id string, handler http.Handler) *web {
	w := &web{t: t, id: id, handler: handler, at: "127.0.0.1:0"}
	w.start()
	t.Cleanup(func() { w.s.Close() })
	return w
}

type web struct {
	t       *testing.T
	id, at  string
	handler http.Handler
	s       *http.Server
}

func (w *web) start() {
	l := kit.Must(server.Listen("tcp", w.at))(w.t)
	w.at = l.Addr().String()
	w.s = &http.Server{Handler: w.handler, ReadHeaderTimeout: time.Second}
	go w.s.Serve(l)
}

func (w *web) backend() *backend { return &backend{t: w.t, at: w.at} }

// A websocket is its owner's. It moves when the pool wants its connection back.
func TestWebsocketsFollowTheBalance(t *testing.T) {
	echo := func(id string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer c.CloseNow()
			for {
				if _, _, err := c.Read(r.Context()); err != nil {
					return
				}
				if c.Write(r.Context(), websocket.MessageText, []byte(id)) != nil {
					return
				}
			}
		})
	}
	webs := map[string]*web{}
	backends := map[string]*backend{}
	for _, id := range []string{"a", "b"} {
		webs[id] = newWeb(t, id, echo(id))
		backends[id] = webs[id].backend()
	}
	f := newFleet(t, 4, backends, pool.WithMax(3), pool.WithIdle(0, 1))
	type socket struct {
		*websocket.Conn
		replaced <-chan struct{}
	}
	var clients []*http.Client
	for _, p := range f.pools {
		tr := p.Transport(nil)
		t.Cleanup(tr.CloseIdleConnections)
		clients = append(clients, &http.Client{Transport: tr})
	}
	dial := func(client int) socket {
		ctx, used := pool.TraceConn(t.Context())
		c, _, err := websocket.Dial(ctx, "ws://pool/", &websocket.DialOptions{HTTPClient: clients[client]})
		kit.Check(t, err)
		return socket{c, used().Replaced()}
	}
	var sockets []socket
	for i := range 12 {
		sockets = append(sockets, dial(i%4))
	}
	defer func() {
		for _, s := range sockets {
			s.CloseNow()
		}
	}()
	on := func() map[string]int {
		all := map[string]int{}
		for i := range sockets {
			select {
			case <-sockets[i].replaced:
				sockets[i].Close(websocket.StatusNormalClosure, "moving")
				sockets[i] = dial(i % 4)
			default:
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			kit.Check(t, sockets[i].Write(ctx, websocket.MessageText, []byte("?")))
			_, id, err := sockets[i].Read(ctx)
			kit.Check(t, err)
			cancel()
			all[string(id)]++
		}
		return all
	}
	even := func(what string, servers, each int) {
		t.Helper()
		begun := time.Now()
		var last map[string]int
		kit.Within(t, what, 10*time.Second, func() bool {
			last = on()
			for _, n := range last {
				if n < each-1 || n > each+1 {
					return false
				}
			}
			return len(last) == servers
		})
		t.Logf("%s: %v after %v", what, last, time.Since(begun).Round(time.Millisecond))
	}
	even("at first", 2, 6)
	c := newWeb(t, "c", echo("c"))
	f.join("c", c.backend())
	even("with a third", 3, 4)
	f.leave("b")
	even("without b", 2, 6)
}

// Requests follow at once, and a server that ends silent connections costs none.
func TestHTTPFollowsTheBalance(t *testing.T) {
	named := func(id string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Millisecond)
			io.WriteString(w, id)
		})
	}
	backends := map[string]*backend{}
	for _, id := range []string{"a", "b"} {
		backends[id] = newWeb(t, id, named(id)).backend()
	}
	f := newFleet(t, 3, backends, pool.WithMax(6), pool.WithIdle(0, 1))
	var clients []*http.Client
	for _, p := range f.pools {
		tr := p.Transport(nil)
		t.Cleanup(tr.CloseIdleConnections)
		clients = append(clients, &http.Client{Transport: tr})
	}
	l := ask(len(clients), 6, func(client int) (string, error) {
		resp, err := clients[client].Get("http://pool/")
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		id, err := io.ReadAll(resp.Body)
		return string(id), err
	})
	defer l.stop()
	errs := f.evens(l, 10*time.Second)
	f.join("c", newWeb(t, "c", named("c")).backend())
	errs = append(errs, f.evens(l, 10*time.Second)...)
	f.leave("b")
	errs = append(errs, f.evens(l, 10*time.Second)...)
	if len(errs) > 0 {
		t.Errorf("%d requests failed: %v", len(errs), errs[0])
	}
}
