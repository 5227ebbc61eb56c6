package pool_test

//lint:file-ignore SA1019 what is deprecated is tried too

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// What of the base cannot be honoured is refused by its name.
func TestTransportRefuses(t *testing.T) {
	p := newPool(t, 1)
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	_, err := client(t, p, &http.Transport{DialTLSContext: dial}).Get("https://example.com/")
	if err == nil || !strings.Contains(err.Error(), "DialTLSContext") {
		t.Errorf("got %v", err)
	}
	for _, url := range []string{"ftp://example.com/", "http:///"} {
		if _, err := client(t, p, nil).Get(url); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}

// What of the base is left aside does no harm: a proxy, dialers, and limits that
// would end what the pool keeps.
func TestTransportLeavesAside(t *testing.T) {
	s := openWeb(t, "HTTP/1.1", 1, hello, nil)
	c := client(t, s.Pool, &http.Transport{
		Proxy:               func(*http.Request) (*url.URL, error) { panic("a proxy") },
		DialContext:         func(context.Context, string, string) (net.Conn, error) { panic("a dial") },
		Dial:                func(string, string) (net.Conn, error) { panic("a dial") },
		MaxConnsPerHost:     1,
		MaxIdleConnsPerHost: -1,
		IdleConnTimeout:     time.Nanosecond,
	})
	for range 10 {
		mustAnswer(t, c, s.url, "example.com")
	}
	kit.Equal(t, "kept", s.Stats().Kept, 1)
	kit.Equal(t, "closed", s.Stats().Closed+s.Stats().Lost, 0)
	c.CloseIdleConnections()
}

// The base's limits for answers hold.
func TestTransportHonoursLimits(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		goOn := make(chan bool)
		s, base, url := serveHTTP(t, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "slow"):
				<-goOn
			case strings.HasSuffix(r.URL.Path, "large"):
				w.Header().Set("Large", strings.Repeat("x", 1<<20))
			default:
				w.Header().Set("Content-Encoding", r.Header.Get("Accept-Encoding"))
				z := gzip.NewWriter(w)
				z.Write([]byte("zipped"))
				z.Close()
			}
		}), nil)
		defer close(goOn)
		base.ResponseHeaderTimeout = 500 * time.Millisecond
		base.MaxResponseHeaderBytes = 1 << 16
		p := newPool(t, 6)
		for slot := range 6 {
			connect(t, p, s, slot)
		}
		c := client(t, p, base)
		base.ResponseHeaderTimeout = 0 // it has a copy
		kit.Equal(t, "unzipped", kit.Must(read(c.Get(url)))(t), "zipped")
		if _, err := c.Get(url + "slow"); err == nil || !strings.Contains(err.Error(), "timeout awaiting response headers") {
			t.Errorf("slow: %v", err)
		}
		if _, err := c.Get(url + "large"); err == nil {
			t.Error("large: no error")
		}
	})
}

// The base says whether HTTP/2 is spoken, as it does for net/http; one of another
// package's in TLSNextProto is not used.
func TestTransportProtocol(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Proto)) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	config := func() *tls.Config {
		return &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	}
	only1, with2 := new(http.Protocols), new(http.Protocols)
	only1.SetHTTP1(true)
	with2.SetHTTP1(true)
	with2.SetHTTP2(true)
	by := func(string, *tls.Conn) http.RoundTripper { return nil }
	used := &http.Transport{TLSClientConfig: config(), ForceAttemptHTTP2: true}
	used.CloseIdleConnections() // it has made up its mind
	for name, base := range map[string]*http.Transport{
		"HTTP/1.1 a TLSClientConfig": {TLSClientConfig: config()},
		"HTTP/2.0 forced":            {TLSClientConfig: config(), ForceAttemptHTTP2: true},
		"HTTP/2.0 used before":       used,
		"HTTP/1.1 an empty map":      {TLSClientConfig: config(), TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}},
		"HTTP/2.0 by another":        {TLSClientConfig: config(), TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{"h2": by}},
		"HTTP/1.1 Protocols":         {TLSClientConfig: config(), Protocols: only1},
		"HTTP/2.0 Protocols":         {TLSClientConfig: config(), Protocols: with2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			connect(t, p, s, 0)
			mustAnswer(t, client(t, p, base), "https://example.com/", name[:8])
		})
	}
}
