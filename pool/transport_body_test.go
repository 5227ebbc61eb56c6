package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// A request's body is closed, once, whatever happens.
func TestTransportClosesBodiesOnce(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 1, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/no" {
				w.WriteHeader(http.StatusExpectationFailed)
				return
			}
			echo(w, r)
		}, nil)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		try := func(what string, ctx context.Context, change func(*http.Request)) {
			t.Helper()
			b := &closingBody{Reader: strings.NewReader("load")}
			req := kit.Must(http.NewRequestWithContext(ctx, "POST", s.url, b))(t)
			if change != nil {
				change(req)
			}
			_, err := read(s.transport.RoundTrip(req))
			kit.Within(t, fmt.Sprint(what, ": ", err), 10*time.Second, func() bool { return b.closed.Load() > 0 })
			kit.Equal(t, what, b.closed.Load(), 1)
		}
		again := func(r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("load")), nil }
		}
		try("success", context.Background(), nil)
		try("with GetBody", context.Background(), again)
		try("context ended", ended, nil)
		try("bad method", context.Background(), func(r *http.Request) { r.Method = "A B" })
		try("bad scheme", context.Background(), func(r *http.Request) { r.URL.Scheme = "ftp" })
		try("no host", context.Background(), func(r *http.Request) { r.URL.Host = "" })
		try("no header", context.Background(), func(r *http.Request) { r.Header = nil })
		try("again", context.Background(), nil)
		try("not wanted", context.Background(), func(r *http.Request) {
			r.URL.Path = "/no"
			r.Header.Set("Expect", "100-continue")
		})
		s.Close()
		try("pool closed", context.Background(), again)
	})
}

// A deafSocket takes not a byte of what is written.
type deafSocket struct {
	net.Conn
	closed chan struct{}
}

func (d deafSocket) Write(p []byte) (int, error) {
	return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
}
func (d deafSocket) Read(p []byte) (int, error) { <-d.closed; return 0, net.ErrClosed }
func (d deafSocket) Close() error               { defer func() { _ = recover() }(); close(d.closed); return nil }

// What was not sent is sent again, also a POST, with its body: which can be had
// again, or was not read.
func TestTransportSendsAgainWhatWasNotSent(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"none":       nil,
		"again":      strings.NewReader("load"),
		"only once":  io.LimitReader(strings.NewReader("load"), 4),
		"in memory":  bytes.NewReader([]byte("load")),
		"large once": io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			s := openWeb(t, "HTTP/1.1", 1, echo, nil)
			held := get(t, s.Pool) // so that the dead one is chosen first
			dead := newPool(t, 2)
			client := client(t, dead, nil)
			a, _ := net.Pipe()
			dead.Offer(rover.NewConnection("a", somewhere, 0, deafSocket{a, make(chan struct{})}))
			go func() {
				kit.Within(t, "the first is gone", 10*time.Second, func() bool { return dead.Stats().Kept == 0 })
				connect(t, dead, s.server, 1)
			}()
			resp, err := client.Post("http://example.com/", "text/plain", body)
			got, err := read(resp, err)
			// A body that was read, and is not to be had again, cannot be sent again.
			switch once := strings.HasSuffix(name, "once"); {
			case once && err == nil && got == "":
				t.Error("an empty body was sent")
			case !once && (err != nil || (body != nil && got != "load")):
				t.Errorf("got %q, %v", got, err)
			}
			held.Release()
		})
	}
}

// Only what does no harm is done twice.
func TestTransportRepeatsWhatDoesNoHarm(t *testing.T) {
	each(t, protocols[:2], func(t *testing.T, proto string) {
		for _, c := range []struct {
			method string
			key    bool
			body   string
			times  int64
		}{{"GET", false, "", 2}, {"HEAD", false, "", 2}, {"GET", false, "load", 2}, {"POST", false, "", 1}, {"PUT", false, "load", 1}, {"POST", true, "load", 2}} {
			t.Run(fmt.Sprint(c.method, c.key, c.body), func(t *testing.T) {
				var n atomic.Int64
				s := openWeb(t, proto, 2, func(w http.ResponseWriter, r *http.Request) {
					if n.Add(1) == 1 {
						panic(http.ErrAbortHandler) // no answer: the connection ends
					}
				}, nil)
				req := kit.Must(http.NewRequest(c.method, s.url, strings.NewReader(c.body)))(t)
				if c.key {
					req.Header.Set("Idempotency-Key", "1")
				}
				_, err := read(s.client.Do(req))
				kit.Equal(t, "sent", n.Load(), c.times)
				kit.Equal(t, "answered", err == nil, c.times == 2)
			})
		}
	})
}

// A body that was read is not sent again unless it can be had again, and each
// one that was had is closed once.
func TestTransportRepeatsBodies(t *testing.T) {
	for _, again := range []bool{false, true} {
		var n atomic.Int64
		s := openWeb(t, "HTTP/1.1", 2, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if n.Add(1) == 1 {
				panic(http.ErrAbortHandler)
			}
		}, nil)
		first, second := &closingBody{Reader: strings.NewReader("load")}, &closingBody{Reader: strings.NewReader("load")}
		req := kit.Must(http.NewRequest("PUT", s.url, first))(t)
		req.Header.Set("Idempotency-Key", "1")
		if again {
			req.GetBody = func() (io.ReadCloser, error) { return second, nil }
		}
		_, err := read(s.client.Do(req))
		kit.Equal(t, "answered", err == nil, again)
		kit.Equal(t, "the first is closed", first.closed.Load(), 1)
		if again {
			kit.Equal(t, "the second is closed", second.closed.Load(), 1)
		}
	}
}

// Over HTTP/2 the errors that say that nothing was done are known by their text
// and their code.
func TestTransportSendsAgainOverHTTP2(t *testing.T) {
	each(t, protocols[2:], func(t *testing.T, proto string) {
		var first atomic.Bool
		s, base, url := serveHTTP(t, proto, http.HandlerFunc(echo), func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1} })
		p := newPool(t, 2)
		connect(t, p, s, 1)
		c := client(t, p, base)
		kit.Must(read(c.Get(url)))(t)
		// The server goes away in good order while requests are under way.
		go func() {
			first.Store(true)
			_ = s.Config.Shutdown(context.Background())
		}()
		kit.Within(t, "Shutdown begins", 10*time.Second, first.Load)
		s2, _, _ := serveHTTP(t, proto, http.HandlerFunc(echo), nil)
		kit.Within(t, "the first is gone", 10*time.Second, func() bool { return p.Stats().Kept == 0 || offerTo(p, s2, "b", 0) })
		offerTo(p, s2, "b", 0)
		for range 20 {
			if got, err := read(c.Post(url, "text/plain", strings.NewReader("load"))); got != "load" {
				t.Fatal(got, err)
			}
		}
	})
}

// Expect: 100-continue, trailers, redirects with a body, HEAD.
func TestTransportSpeaksWholeHTTP(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 2, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/old":
				http.Redirect(w, r, "/new", http.StatusTemporaryRedirect)
				return
			case "/no":
				w.WriteHeader(http.StatusExpectationFailed)
				return
			}
			w.Header().Set("Trailer", "T")
			io.Copy(w, r.Body)
			w.Header().Set("T", r.Trailer.Get("S"))
		}, nil)
		for range 10 {
			req := kit.Must(http.NewRequest("POST", s.url, struct{ io.Reader }{strings.NewReader("load")}))(t)
			req.Trailer = http.Header{"S": {"seen"}}
			resp := kit.Must(s.client.Do(req))(t)
			got := kit.Must(read(resp, nil))(t)
			kit.Equal(t, "body", got, "load")
			kit.Equal(t, "trailer", resp.Trailer.Get("T"), "seen")
			got = kit.Must(read(s.client.Post(s.url+"old", "text/plain", strings.NewReader("load"))))(t)
			kit.Equal(t, "redirected", got, "load")
			kit.Must(read(s.client.Head(s.url)))(t)
		}
		if st := s.Stats(); st.Lost > 0 || st.Closed > 0 {
			t.Errorf("%+v", st)
		}
		for _, path := range []string{"", "no"} {
			var asked atomic.Bool
			req := kit.Must(http.NewRequest("POST", s.url+path, reader(func(b []byte) (int, error) {
				if asked.Swap(true) {
					return 0, io.EOF
				}
				return copy(b, "load"), nil
			})))(t)
			req.ContentLength = 4
			req.Header.Set("Expect", "100-continue")
			got, err := read(s.client.Do(req))
			if err != nil || path == "" && got != "load" {
				t.Error(path, got, err)
			}
		}
	})
}

type reader func([]byte) (int, error)

func (f reader) Read(b []byte) (int, error) { return f(b) }

// A body that fails is the caller's fault, and the error is his.
func TestTransportReturnsTheBodysError(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 6, echo, nil)
		mine := errors.New("mine")
		for range 5 { // one connection of HTTP/1.1 each
			req := kit.Must(http.NewRequest("POST", s.url, reader(func([]byte) (int, error) { return 0, mine })))(t)
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("another")), nil }
			req.Header.Set("Idempotency-Key", "1")
			if _, err := read(s.client.Do(req)); !errors.Is(err, mine) {
				t.Fatalf("got %v", err)
			}
		}
		mustAnswer(t, s.client, s.url, "") // the server is not to blame
	})
}
