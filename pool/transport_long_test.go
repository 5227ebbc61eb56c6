package pool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// switching answers 101 and echoes, or says that it did not.
func switching(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" && r.Method != "CONNECT" {
		fmt.Fprint(w, "plain")
		return
	}
	k, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer k.Close()
	if r.Method == "CONNECT" {
		fmt.Fprint(k, "HTTP/1.1 200 OK\r\n\r\n")
	} else {
		fmt.Fprint(k, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	}
	io.Copy(k, buf)
}

func upgrade(t testing.TB, ctx context.Context, url string) *http.Request {
	req := kit.Must(http.NewRequestWithContext(ctx, "GET", url, nil))(t)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	return req
}

func echoes(t testing.TB, rw io.ReadWriter, line string) {
	t.Helper()
	fmt.Fprintln(rw, line)
	if got := kit.Must(bufio.NewReader(rw).ReadString('\n'))(t); got != line+"\n" {
		t.Fatalf("got %q", got)
	}
}

// 101: the connection is the caller's and counts as lent; others go on beside it;
// its owner learns that it should move, and is not moved; the request's context
// has no more to say.
func TestTransportSwitchesProtocols(t *testing.T) {
	each(t, protocols[:2], func(t *testing.T, proto string) {
		s := openWeb(t, proto, 2, switching, nil)
		ctx, cancel := context.WithCancel(context.Background())
		traced, used := pool.TraceConn(ctx)
		if used() != nil {
			t.Error("a connection before there was a request")
		}
		resp := kit.Must(s.client.Do(upgrade(t, traced, s.url)))(t)
		cancel()
		rw := resp.Body.(io.ReadWriteCloser)
		for range 3 {
			echoes(t, rw, "hello")
			mustAnswer(t, s.client, s.url, "plain")
		}
		s.client.CloseIdleConnections()
		kit.Within(t, "it alone is lent", 10*time.Second, func() bool { return s.Stats().Lent == 1 })
		kit.Equal(t, "server", used().Server(), somewhere)
		select {
		case <-used().Replaced():
			t.Fatal("it is replaced")
		default:
		}
		offerTo(s.Pool, s.server, "a", 0)
		offerTo(s.Pool, s.server, "a", 0)
		<-used().Replaced()
		echoes(t, rw, "still there")
		kit.Check(t, rw.Close())
		s.atRest(t)
	})
}

func TestTransportConnects(t *testing.T) {
	each(t, protocols[:2], func(t *testing.T, proto string) {
		s := openWeb(t, proto, 2, switching, nil)
		in, out := io.Pipe()
		resp := kit.Must(s.client.Do(kit.Must(http.NewRequest("CONNECT", s.url, in))(t)))(t)
		fmt.Fprintln(out, "hello")
		if got := kit.Must(bufio.NewReader(resp.Body).ReadString('\n'))(t); got != "hello\n" {
			t.Fatalf("got %q", got)
		}
		kit.Equal(t, "lent", s.Stats().Lent, 1)
		out.Close()
		resp.Body.Close()
		s.atRest(t)
	})
}

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for r.Context().Err() == nil {
		fmt.Fprint(w, "data: x\n\n")
		w.(http.Flusher).Flush()
		if strings.HasSuffix(r.URL.Path, "five") {
			for range 4 {
				fmt.Fprint(w, "data: x\n\n")
			}
			return
		}
	}
	panic(http.ErrAbortHandler) // no end in good order
}

// Events until they are called off; and a stream that is replaced goes on until
// its owner, who learns of it, ends it.
func TestTransportEvents(t *testing.T) {
	each(t, protocols, func(t *testing.T, proto string) {
		s := openWeb(t, proto, 1, events, nil)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		traced, used := pool.TraceConn(ctx)
		resp := kit.Must(s.client.Do(kit.Must(http.NewRequestWithContext(traced, "GET", s.url, nil))(t)))(t)
		lines := bufio.NewReader(resp.Body)
		offerTo(s.Pool, s.server, "a", 0)
		<-used().Replaced()
		for range 10 {
			kit.Must(lines.ReadString('\n'))(t)
		}
		cancel()
		if _, err := io.Copy(io.Discard, lines); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		resp.Body.Close()
		kit.Within(t, "the replaced one is closed", 10*time.Second, func() bool { return s.Stats().Leaving == 0 })
	})
}

// Under httputil.ReverseProxy: events, and a switch of protocols.
func TestTransportUnderAReverseProxy(t *testing.T) {
	s := openWeb(t, "HTTP/1.1", 3, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/five" {
			events(w, r)
			return
		}
		switching(w, r)
	}, nil)
	proxy := httputil.NewSingleHostReverseProxy(kit.Must(url.Parse("http://pool/"))(t))
	proxy.Transport = s.transport
	front := httptest.NewServer(proxy)
	defer front.Close()
	body := kit.Must(read(front.Client().Get(front.URL + "/five")))(t)
	kit.Equal(t, "events", strings.Count(body, "data:"), 5)
	resp := kit.Must(front.Client().Do(upgrade(t, context.Background(), front.URL)))(t)
	echoes(t, resp.Body.(io.ReadWriteCloser), "hello")
	resp.Body.Close()
	s.atRest(t)
}
