package pool

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/callosum-go/rover"
)

// TLS's own messages are nothing that was sent of a request.
func TestLineCountsRequests(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	go io.Copy(io.Discard, server)
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Offer(rover.NewConnection("a", rover.Server{Host: "a", Port: 1}, 0, client))
	c, _ := p.TryGet()
	defer c.Close()
	record := func(kind byte, n int) []byte { return append([]byte{kind, 3, 3, 0, byte(n)}, make([]byte, n)...) }
	for _, w := range []struct {
		secure bool
		what   []byte
		counts bool
	}{
		{false, []byte("x"), true},
		{true, record(21, 26), false}, // an alert of TLS 1.2
		{true, record(23, 19), false}, // of TLS 1.3
		{true, record(22, 50), false}, // a handshake
		{true, record(23, 40), true},
	} {
		l := &line{Conn: c, secure: w.secure}
		if _, err := l.Write(w.what); err != nil {
			t.Fatal(err)
		}
		if l.sent.Load() > 0 != w.counts {
			t.Errorf("secure %v, %x: counted %d", w.secure, w.what[:1], l.sent.Load())
		}
	}
}

// The real errors of net/http's HTTP/2.
func TestUnsentOverHTTP2(t *testing.T) {
	begun := make(chan bool)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			close(begun)
			panic(http.ErrAbortHandler)
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	ask := func(method string, used, closed bool) error {
		c, err := s.Client().Transport.(*http.Transport).NewClientConn(context.Background(), "https", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if used {
			resp, err := c.RoundTrip(httptest.NewRequest("GET", s.URL, nil))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if closed {
			c.Close()
		}
		_, err = c.RoundTrip(httptest.NewRequest(method, s.URL, nil))
		return err
	}
	for _, used := range []bool{false, true} {
		if err := ask("GET", used, true); err == nil || !isUnsentHTTP2(err) {
			t.Errorf("closed, used %v: %v", used, err)
		}
	}
	if err := ask("POST", true, false); err == nil || isUnsentHTTP2(err) {
		t.Errorf("reset by the handler: %v", err)
	}
	<-begun
	if !isUnsentHTTP2(streamError{Code: refusedStream, Cause: io.EOF}) {
		t.Error("REFUSED_STREAM")
	}
}
