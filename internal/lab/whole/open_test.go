package whole_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// slack is what a busy machine may take, where the log says what was taken.
const slack = 20 * time.Second

// web serves requests of 20 ms on three real slot listeners.
func web(t *testing.T) map[string]rover.Server {
	servers := map[string]rover.Server{}
	for i := range 3 {
		l := kit.Must(server.Listen("tcp", "127.0.0.1:0"))(t)
		at := l.Addr().(*net.TCPAddr)
		servers[fmt.Sprint("s", i)] = rover.Server{Host: at.IP.String(), Port: at.Port}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(20 * time.Millisecond):
				fmt.Fprint(w, "ok")
			case <-r.Context().Done():
			}
		})}
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
	}
	return servers
}

// At the defaults, over TCP: a pool of 20 is full at once.
func TestOpenIsFullSoon(t *testing.T) {
	begun := time.Now()
	p := kit.Must(pool.Open(context.Background(), pool.WithMax(20), pool.WithRover(rover.WithServers(web(t)))))(t)
	defer p.Close()
	changes := p.Moves().Observe()
	timeout := time.After(slack)
	for p.Stats().Kept < 20 {
		select {
		case <-changes:
		case <-timeout:
			t.Fatalf("%+v", p.Stats())
		}
	}
	t.Logf("20 connections after %v: %v", time.Since(begun), p.Stats().Servers)
	p.Close()
	for range changes { // its queue grows: it is read to the end
	}
}

// At the defaults, over TCP, from nothing: 10 callers make 200 requests of 20 ms.
func TestOpenServesAtOnce(t *testing.T) {
	servers := web(t)
	begun := time.Now()
	p := kit.Must(pool.Open(context.Background(), pool.WithMax(20), pool.WithRover(rover.WithServers(servers))))(t)
	defer p.Close()
	client := &http.Client{Transport: p.Transport(&http.Transport{MaxIdleConnsPerHost: 20}), Timeout: slack}
	defer client.CloseIdleConnections()
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			for range 20 {
				response, err := client.Get("http://service/")
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if string(body) != "ok" || err != nil {
					t.Error(string(body), err)
				}
			}
		})
	}
	callers.Wait()
	t.Logf("200 requests of 20 ms by 10 callers after %v: %v", time.Since(begun), p.Stats().Servers)
}
