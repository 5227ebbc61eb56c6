package pool_test

//lint:file-ignore SA1019 what is deprecated is tried too

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// What http.ClientConn of Go 1.26 does otherwise than its documentation says, or
// than a user of http.Transport would think. Transport goes round each; a test
// that fails here says that Go has changed, and that a way round may go.

// bare is a server and a connection to it, in HTTP/1.1 or in HTTP/2 over TLS.
func bare(t *testing.T, http2 bool, h http.HandlerFunc, set func(*httptest.Server, *http.Transport)) (*httptest.Server, *http.ClientConn) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	scheme := "http"
	s.EnableHTTP2 = http2
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	tr := &http.Transport{}
	if set != nil {
		set(s, tr)
	}
	if http2 {
		s.StartTLS()
		scheme = "https"
		tr.ForceAttemptHTTP2 = true
		tr.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	c := kit.Must(tr.NewClientConn(context.Background(), scheme, s.Listener.Addr().String()))(t)
	t.Cleanup(func() { c.Close() })
	return s, c
}

func request(c *http.ClientConn, s *httptest.Server) error {
	req, err := http.NewRequest("GET", s.URL, nil)
	if err != nil {
		return err
	}
	resp, err := c.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

// seldom is for what must not happen: it waits a little.
func seldom(d time.Duration) { <-time.After(d) }

// 1. Reserving before the server's SETTINGS, above its real limit, locks the
// connection up. Transport reserves nothing.
func TestTrapReserveBeforeSettings(t *testing.T) {
	for _, reserve := range []bool{true, false} {
		s, c := bare(t, true, echo, func(s *httptest.Server, _ *http.Transport) {
			s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 2}
		})
		n := 0
		for n < 5 && reserve && c.Available() > 2 && c.Reserve() == nil {
			n++
		}
		if reserve && n < 5 {
			t.Skip("the SETTINGS were faster")
		}
		kit.Within(t, "SETTINGS", 10*time.Second, func() bool { return reserve || c.Available() == 2 })
		if reserve {
			kit.Within(t, "SETTINGS", 10*time.Second, func() bool { return c.Available() == 0 })
		}
		var done atomic.Int64
		for range 5 {
			go func() {
				if request(c, s) == nil {
					done.Add(1)
				}
			}()
		}
		if !reserve {
			kit.Within(t, "5 answers", 10*time.Second, func() bool { return done.Load() == 5 })
			continue
		}
		seldom(300 * time.Millisecond)
		if done.Load() == 5 {
			t.Error("reservations above the limit lock nothing up any more")
		}
	}
}

// 2. MaxConnsPerHost, which is said not to count ClientConns, panics at their
// end, and leaves a goroutine: so in a process of its own. Transport sets it to 0.
func TestTrapMaxConnsPerHost(t *testing.T) {
	if os.Getenv("TRAP") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTrapMaxConnsPerHost$")
		cmd.Env = append(os.Environ(), "TRAP=1")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "connCount underflow") {
			t.Errorf("no panic any more: %v\n%s", err, out)
		}
		return
	}
	_, c := bare(t, false, echo, func(_ *httptest.Server, tr *http.Transport) { tr.MaxConnsPerHost = 1 })
	c.Close()
}

// 3. The hook is not called for what begins and ends while it runs. Transport
// counts by itself.
func TestTrapHookMissesWhatHappensInIt(t *testing.T) {
	s, c := bare(t, true, echo, nil)
	kit.Check(t, request(c, s))
	kit.Within(t, "at rest", 10*time.Second, func() bool { return c.InFlight() == 0 })
	enter, leave := make(chan bool), make(chan bool)
	var armed atomic.Bool
	var calls atomic.Int64
	c.SetStateHook(func(*http.ClientConn) {
		if armed.Swap(false) {
			enter <- true
			<-leave
			return
		}
		calls.Add(1)
	})
	kit.Check(t, c.Reserve())
	armed.Store(true)
	go c.Release()
	<-enter
	calls.Store(0)
	kit.Check(t, c.Reserve()) // seen by nobody
	c.Release()
	leave <- true
	seldom(50 * time.Millisecond)
	kit.Equal(t, "calls for what began and ended in the hook", calls.Load(), 0)
}

// 4. Without Reserve the hook is hardly ever called for a request over HTTP/2.
func TestTrapHookOfRequestsWithoutReserve(t *testing.T) {
	s, c := bare(t, true, echo, nil)
	kit.Check(t, request(c, s))
	var calls atomic.Int64
	c.SetStateHook(func(*http.ClientConn) { calls.Add(1) })
	for range 200 {
		kit.Check(t, request(c, s))
	}
	if n := calls.Load(); n >= 200 {
		t.Errorf("the hook is called %d times for 200 requests", n)
	}
}

// 5. SetStateHook calls the hook itself, where a goroutine is documented.
// Transport calls it without its lock.
func TestTrapSetStateHookCalls(t *testing.T) {
	_, c := bare(t, false, echo, nil)
	c.Close() // changed since it was made
	var inside bool
	c.SetStateHook(func(*http.ClientConn) {
		stack := make([]byte, 8192)
		inside = strings.Contains(string(stack[:runtime.Stack(stack, false)]), "SetStateHook(")
	})
	kit.Equal(t, "called by SetStateHook", inside, true)
}

// 6. Available is more than 0 of an HTTP/2 connection that was closed unused.
// Transport asks Err first.
func TestTrapAvailableWhenClosed(t *testing.T) {
	_, c := bare(t, true, echo, nil)
	c.Close()
	if c.Err() == nil {
		t.Error("Err of a closed connection is nil")
	}
	if c.Available() == 0 {
		t.Error("Available is 0 now, as documented")
	}
}

// 7. The request's body stays open if the request is not sent. Transport closes
// it.
func TestTrapBodyStaysOpen(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s, c := bare(t, http2, echo, nil)
		b := &closingBody{Reader: strings.NewReader("load")}
		req := kit.Must(http.NewRequest("POST", s.URL, b))(t)
		req.Method = "A B"
		if _, err := c.RoundTrip(req); err == nil {
			t.Fatal("no error")
		}
		kit.Equal(t, "closed", b.closed.Load(), 0)
	}
}

// 8. GotConn is not traced. Transport does that, with the *Conn.
func TestTrapGotConn(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s, c := bare(t, http2, echo, nil)
		var got atomic.Int64
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Add(1) }})
		resp := kit.Must(c.RoundTrip(kit.Must(http.NewRequestWithContext(ctx, "GET", s.URL, nil))(t)))(t)
		resp.Body.Close()
		kit.Equal(t, "GotConn", got.Load(), 0)
	}
}

// 9. After a GOAWAY, Available is 0 at once; Err and the hook wait for the close.
// Transport sees it when it picks the connection.
func TestTrapGoAway(t *testing.T) {
	s, c := bare(t, true, echo, nil)
	kit.Check(t, request(c, s))
	kit.Within(t, "at rest", 10*time.Second, func() bool { return c.InFlight() == 0 })
	var calls atomic.Int64
	c.SetStateHook(func(*http.ClientConn) { calls.Add(1) })
	calls.Store(0)
	down := make(chan error, 1)
	go func() { down <- s.Config.Shutdown(context.Background()) }()
	kit.Within(t, "GOAWAY", 10*time.Second, func() bool { return c.Available() == 0 })
	if c.Err() == nil && calls.Load() > 0 {
		t.Error("the hook is called for a GOAWAY now")
	}
	c.Close()
	<-down
}

// 10. HTTP/2 heeds IdleConnTimeout, HTTP/1 does not. Transport sets it to 0.
func TestTrapIdleConnTimeout(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		_, c := bare(t, http2, echo, func(_ *httptest.Server, tr *http.Transport) { tr.IdleConnTimeout = 20 * time.Millisecond })
		if http2 {
			kit.Within(t, "idle too long", 10*time.Second, func() bool { return c.Err() != nil })
			continue
		}
		seldom(100 * time.Millisecond)
		kit.Check(t, c.Err())
	}
}

// 11. No exported error says that nothing was sent. Transport counts bytes under
// HTTP/1, and knows those of HTTP/2 by their text: also in TestUnsentOverHTTP2.
func TestTrapNothingSent(t *testing.T) {
	s, c := bare(t, false, echo, nil)
	kit.Check(t, request(c, s)) // the server has it
	s.CloseClientConnections()
	kit.Within(t, "the end", 10*time.Second, func() bool { return c.Err() != nil })
	err := request(c, s)
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	s, c = bare(t, true, echo, nil)
	c.Close()
	kit.Equal(t, "unused", request(c, s).Error(), "http2: client conn could not be established")
	s, c = bare(t, true, echo, nil)
	kit.Check(t, request(c, s))
	c.Close()
	kit.Equal(t, "used", request(c, s).Error(), "http2: client conn not usable")
}

// 12. An HTTP/2 that was set up by hand in TLSNextProto makes no ClientConns.
// Transport takes it out.
func TestTrapTLSNextProto(t *testing.T) {
	s := httptest.NewUnstartedServer(echo)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	by := map[string]func(string, *tls.Conn) http.RoundTripper{"h2": func(string, *tls.Conn) http.RoundTripper { return nil }}
	_, err := (&http.Transport{TLSClientConfig: config, TLSNextProto: by}).NewClientConn(context.Background(), "https", s.Listener.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "does not support NewClientConn") {
		t.Errorf("got %v", err)
	}
}

// 13. A ClientConn does not say which protocol it speaks. Transport learns it
// from the handshake.
func TestTrapNoProtocol(t *testing.T) {
	_, c := bare(t, true, echo, nil)
	if _, ok := any(c).(interface{ Protocol() string }); ok {
		t.Error("it says it now")
	}
	if _, ok := any(c).(interface{ ConnectionState() tls.ConnectionState }); ok {
		t.Error("it says it now")
	}
}

// 14. A context that has ended kills an HTTP/1 connection which was not to blame.
// Transport looks at it first.
func TestTrapEndedContext(t *testing.T) {
	s, c := bare(t, false, echo, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	killed := false
	for tries := 0; !killed && tries < 200; tries++ {
		resp, err := c.RoundTrip(kit.Must(http.NewRequestWithContext(ctx, "GET", s.URL, nil))(t))
		if err == nil { // an answer that was there first
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		killed = c.Err() != nil
	}
	kit.Equal(t, "killed", killed, true)
}

// 15. The context of an HTTP/1 request that fails stays in its parent, and with a
// Cancel a goroutine. Transport gives each such request a context of its own.
func TestTrapFailedRequestsStay(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }))
	defer s.Close()
	tr := &http.Transport{}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := runtime.NumGoroutine()
	for range 100 {
		c := kit.Must(tr.NewClientConn(context.Background(), "http", s.Listener.Addr().String()))(t)
		req := kit.Must(http.NewRequestWithContext(ctx, "GET", s.URL, nil))(t)
		req.Cancel = make(chan struct{})
		if _, err := c.RoundTrip(req); err == nil {
			t.Fatal("answered")
		}
		c.Close()
	}
	s.Close()
	seldom(50 * time.Millisecond)
	if n := runtime.NumGoroutine() - before; n < 50 {
		t.Errorf("%d goroutines stay of 100", n)
	}
	cancel()
	kit.Within(t, "they end with the parent", 10*time.Second, func() bool { return runtime.NumGoroutine() <= before })
}

// closingBody is a body that counts its ends.
type closingBody struct {
	io.Reader
	closed atomic.Int64
}

func (c *closingBody) Close() error { c.closed.Add(1); return nil }
