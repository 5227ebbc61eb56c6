package pool_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// echo answers with the request's body.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })

// web is an HTTP server on loopback without slots: the test decides those.
func web(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// connect offers p a connection to s, which must be kept.
func connect(t testing.TB, p *pool.Pool, s *httptest.Server, slot int) {
	t.Helper()
	keep(t, p, slot, func(t testing.TB) (client, server net.Conn) {
		client = kit.Must(net.Dial("tcp", s.Listener.Addr().String()))(t)
		kit.Check(t, client.(*net.TCPConn).SetLinger(0))
		return client, nil
	})
}

// send sends a request and returns the body of the answer. The body has no
// GetBody: http.Transport cannot send it twice.
func send(c *http.Client, method, url, body string) (string, error) {
	var r io.Reader
	if body != "" {
		r = io.LimitReader(strings.NewReader(body), 1<<20)
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// client is an http.Client over p. It lets go of all connections with the test.
func client(t testing.TB, p *pool.Pool, base *http.Transport) *http.Client {
	c := &http.Client{Transport: p.Transport(base)}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// 1,000 requests, one in two with a body that cannot be sent twice, while the
// pool replaces a connection for every second of them.
func TestTransportFailsNoRequestForAReplacement(t *testing.T) {
	s := web(t, echo)
	p := kit.Must(pool.New(pool.WithMax(4), pool.WithMaxSockets(100)))(t)
	t.Cleanup(p.Close)
	slot := 1 << 20
	for range 4 {
		connect(t, p, s, slot)
		slot--
	}
	c := client(t, p, nil)
	var requests sync.WaitGroup
	done := make(chan struct{}, 1000)
	for i := range 8 {
		requests.Go(func() {
			for n := range 125 {
				method, body := "GET", ""
				if n%2 == 0 {
					method, body = "POST", fmt.Sprint("request ", i, n)
				}
				if got, err := send(c, method, "http://pool/", body); err != nil || got != body {
					t.Errorf("%s %q: got %q, %v", method, body, got, err)
				}
				done <- struct{}{}
			}
		})
	}
	for n := range 1000 {
		<-done
		if n%2 == 0 {
			connect(t, p, s, slot)
			slot--
		}
	}
	requests.Wait()
	kit.Equal(t, "replaced", p.Stats().Replaced, 500)
	kit.Equal(t, "kept", p.Stats().Kept, 4)
}

// A connection that is replaced while a request is on it is used to the end of
// that, and no longer; whatever the protocol.
func TestTransportRetires(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/1.1 in TLS", "HTTP/2.0 in TLS"} {
		t.Run(proto, func(t *testing.T) {
			ended := make(chan net.Conn, 10)
			goOn := make(chan struct{})
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, r.Proto)
				w.(http.Flusher).Flush()
				if r.URL.Path == "/slow" {
					<-goOn
				}
			}))
			s.Config.ConnState = func(c net.Conn, state http.ConnState) {
				if state == http.StateClosed {
					ended <- c
				}
			}
			var base *http.Transport
			url := "http://pool"
			if strings.Contains(proto, "TLS") {
				s.EnableHTTP2 = strings.Contains(proto, "/2")
				s.StartTLS()
				base, url = s.Client().Transport.(*http.Transport), "https://example.com"
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			p := newPool(t, 1)
			c := client(t, p, base)
			connect(t, p, s, 2)
			resp := kit.Must(c.Get(url + "/slow"))(t)
			connect(t, p, s, 1)
			kit.Equal(t, "leaving", p.Stats().Leaving, 1)
			close(goOn)
			got := kit.Must(io.ReadAll(resp.Body))(t)
			kit.Equal(t, "answer", string(got), strings.TrimSuffix(proto, " in TLS"))
			resp.Body.Close()
			<-ended
			kit.Equal(t, "leaving", p.Stats().Leaving, 0)

			kit.Must(send(c, "GET", url, ""))(t)
			kit.Equal(t, "lent", p.Stats().Lent, 1)
			connect(t, p, s, 0) // and now no request is on the one replaced
			<-ended
			kit.Must(send(c, "GET", url, ""))(t)
			kit.Equal(t, "lent", p.Stats().Lent, 1)
		})
	}
}

// One that the server closes without an answer costs a GET another try, in TLS
// too, but not a fourth. A POST fails: it may have been done.
func TestTransportTriesAgain(t *testing.T) {
	for _, c := range []struct {
		scheme, method string
		bad            int
		ok             bool
	}{
		{"http", "GET", 2, true}, {"http", "GET", 3, false}, {"http", "POST", 1, false},
		{"https", "GET", 2, true}, {"https", "GET", 3, false}, {"https", "POST", 1, true},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.scheme, c.method, c.bad), func(t *testing.T) {
			s := httptest.NewUnstartedServer(echo)
			base := &http.Transport{}
			if c.scheme == "https" {
				s.StartTLS()
				base = s.Client().Transport.(*http.Transport)
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			p := newPool(t, 5)
			client := client(t, p, base)
			result := make(chan error)
			go func() {
				_, err := send(client, c.method, c.scheme+"://example.com/", "")
				result <- err
			}()
			for slot := range c.bad {
				server := keep(t, p, slot, tcp)
				hear(t, server, 16) // of the request, or of the handshake
				server.Close()
			}
			if c.ok {
				connect(t, p, s, c.bad)
			}
			if err := <-result; (err == nil) != c.ok {
				t.Fatalf("got %v", err)
			}
		})
	}
}
