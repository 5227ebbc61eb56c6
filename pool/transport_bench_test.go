package pool_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// BenchmarkTransport is a request to one host, through http.Transport and through
// a pool of 20 connections, from so many goroutines. The server is in the same
// process, and of its allocations HTTP/2's are counted. Compare along a pair.
func BenchmarkTransport(b *testing.B) {
	for _, proto := range protocols {
		for _, atOnce := range []int{1, 16, 256} {
			for _, whose := range []string{"http", "pool"} {
				b.Run(fmt.Sprintf("%s/%d/%s", proto, atOnce, whose), func(b *testing.B) {
					at, base, url := target(b, proto)
					base.MaxIdleConnsPerHost, base.MaxConnsPerHost = 20, 20
					base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
						return (&net.Dialer{}).DialContext(ctx, network, at)
					}
					c := &http.Client{Transport: base}
					if whose == "pool" {
						p := newPool(b, 20)
						for slot := range 20 {
							p.Offer(rover.NewConnection("a", somewhere, slot, kit.Must(net.Dial("tcp", at))(b)))
						}
						c.Transport = p.Transport(base)
					}
					defer c.CloseIdleConnections()
					load(b, c, url, atOnce)
				})
			}
		}
	}
}

// load makes b.N requests, so many at once, with a context that can end.
func load(b *testing.B, c *http.Client, url string, atOnce int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	one := func() {
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			b.Error(err)
			return
		}
		resp, err := c.Do(req)
		if err != nil {
			b.Error(err)
			return
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	for range 100 {
		one()
	}
	b.ReportAllocs()
	b.ResetTimer()
	var n atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n.Add(1) <= int64(b.N) {
				one()
			}
		})
	}
	all.Wait()
	b.StopTimer()
}

// target is where a server for the benchmark listens: for plain HTTP/1.1 one that
// allocates nothing.
func target(b *testing.B, proto string) (at string, base *http.Transport, url string) {
	if proto != "HTTP/1.1" {
		s, base, url := serveHTTP(b, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }), nil)
		return s.Listener.Addr().String(), base, url
	}
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(b)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				p := make([]byte, 4096)
				for {
					if _, err := c.Read(p); err != nil {
						return
					}
					if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
						return
					}
				}
			})
		}
	})
	b.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String(), &http.Transport{}, "http://example.com/"
}
