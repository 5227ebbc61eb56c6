package pool_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// A webSite is a server, a pool with connections to it, and a client over that.
type webSite struct {
	*pool.Pool
	server    *httptest.Server
	transport *pool.Transport
	client    *http.Client
	url       string
}

// protocols are what a Transport speaks.
var protocols = []string{"HTTP/1.1", "HTTP/1.1 in TLS", "HTTP/2 in TLS", "h2c"}

// each runs a test with each protocol.
func each(t *testing.T, names []string, f func(t *testing.T, proto string)) {
	for _, p := range names {
		t.Run(strings.ReplaceAll(p, "/", ""), func(t *testing.T) { f(t, p) })
	}
}

// serveHTTP starts a server that speaks proto, and returns what a client needs.
func serveHTTP(t testing.TB, proto string, h http.Handler, set func(*http.Server)) (s *httptest.Server, base *http.Transport, url string) {
	t.Helper()
	s = httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.Protocols = new(http.Protocols)
	base, url = &http.Transport{Protocols: s.Config.Protocols}, "http://example.com/"
	if set != nil {
		set(s.Config)
	}
	switch proto {
	case "h2c":
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	case "HTTP/1.1":
		s.Config.Protocols.SetHTTP1(true)
		s.Start()
	default:
		s.EnableHTTP2 = proto == "HTTP/2 in TLS"
		s.Config.Protocols.SetHTTP1(true)
		s.Config.Protocols.SetHTTP2(s.EnableHTTP2)
		s.StartTLS()
		base, url = s.Client().Transport.(*http.Transport).Clone(), "https://example.com/"
	}
	t.Cleanup(s.Close)
	return s, base, url
}

// openWeb makes a webSite with n connections.
func openWeb(t testing.TB, proto string, n int, h http.HandlerFunc, set func(*http.Server)) *webSite {
	t.Helper()
	s, base, url := serveHTTP(t, proto, h, set)
	p := newPool(t, n)
	for slot := range n {
		connect(t, p, s, slot+1)
	}
	c := client(t, p, base)
	return &webSite{Pool: p, server: s, transport: c.Transport.(*pool.Transport), client: c, url: url}
}

// offerTo offers p a connection to a server with an id.
func offerTo(p *pool.Pool, s *httptest.Server, id string, slot int) bool {
	at := s.Listener.Addr().(*net.TCPAddr)
	conn, err := net.Dial("tcp", at.String())
	if err != nil {
		return false
	}
	return p.Offer(rover.NewConnection(id, rover.Server{Host: at.IP.String(), Port: at.Port}, slot, conn))
}

// read is the body of an answer.
func read(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// atRest waits until nothing is lent that the transport does not keep.
func (s *webSite) atRest(t testing.TB) {
	t.Helper()
	kit.Within(t, "nothing lent, leaving or waiting", 10*time.Second, func() bool {
		s.client.CloseIdleConnections()
		st := s.Stats()
		return st.Lent == 0 && st.Leaving == 0 && st.Waiting == 0
	})
}

func mustAnswer(t testing.TB, c *http.Client, url, want string) {
	t.Helper()
	if got, err := read(c.Get(url)); got != want || err != nil {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}
