package whole_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// A server of three drains beside 20 clients with 6 connections each, over TCP,
// at an interval of 200 ms, while they make requests: no request fails, the
// server is empty when Drain returns, and hardly anybody comes back.
func TestADrainMovesTheWork(t *testing.T) {
	servers := map[string]rover.Server{}
	var listeners []*server.Listener
	var webs []*http.Server
	for i := range 3 {
		l := kit.Must(server.Listen("tcp", "127.0.0.1:0", server.WithClientFirst()))(t)
		at := l.Addr().(*net.TCPAddr)
		servers[fmt.Sprint("s", i)] = rover.Server{Host: at.IP.String(), Port: at.Port}
		web := &http.Server{ConnState: l.ConnState, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "ok")
		})}
		go web.Serve(l)
		t.Cleanup(func() { web.Close() })
		listeners, webs = append(listeners, l), append(webs, web)
	}
	stop := make(chan struct{})
	failed := make(chan error, 1000)
	done := make(chan struct{}, 20)
	for range 20 {
		p := kit.Must(pool.Open(context.Background(), pool.WithMax(6),
			pool.WithRover(rover.WithServers(servers), rover.WithInterval(200*time.Millisecond))))(t)
		client := &http.Client{Transport: p.Transport(nil), Timeout: slack}
		go func() {
			defer func() { p.Close(); done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
				response, err := client.Get("http://service/")
				if err != nil {
					failed <- err
					continue
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		}()
	}
	leaving := listeners[0]
	for end := time.Now().Add(slack); leaving.Stats().InUse < 40; <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the fleet is not full: %+v", leaving.Stats())
		}
	}
	before := leaving.Stats().Lines
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	begun := time.Now()
	err := leaving.Drain(ctx)
	t.Logf("drained after %v: %v; %d lines meanwhile, slots in use %d, %d, %d", time.Since(begun), err,
		leaving.Stats().Lines-before, leaving.Stats().InUse, listeners[1].Stats().InUse, listeners[2].Stats().InUse)
	if err != nil {
		t.Error(err)
	}
	if lines := leaving.Stats().Lines - before; lines > 120 {
		t.Errorf("%d dials of a server that drains, by 20 clients", lines)
	}
	begun = time.Now()
	kit.Check(t, leaving.Shutdown(t.Context(), webs[0].Shutdown))
	t.Logf("shut down after %v", time.Since(begun))
	close(stop)
	for range 20 {
		<-done
	}
	for len(failed) > 0 {
		t.Errorf("a request failed: %v", <-failed)
	}
}
