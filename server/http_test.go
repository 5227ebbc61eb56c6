package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// run serves HTTP on l until stop.
func run(t *testing.T, s *http.Server, l net.Listener, serve func(net.Listener) error) (stop func()) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- serve(l) }()
	return func() {
		t.Helper()
		kit.Check(t, s.Shutdown(context.Background()))
		if err := <-ended; err != http.ErrServerClosed {
			t.Errorf("serving ended with %v", err)
		}
	}
}

// echo answers with the protocol, then what came.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s ", r.Proto)
	io.Copy(w, r.Body)
}

// post asks twice, for the connection to be kept alive between.
func post(t *testing.T, client *http.Client, url, want string) {
	t.Helper()
	for range 2 {
		r := kit.Must(client.Post(url, "text/plain", strings.NewReader("hello")))(t)
		body := kit.Must(io.ReadAll(r.Body))(t)
		kit.Check(t, r.Body.Close())
		kit.Equal(t, "answer", string(body), want)
	}
}

func TestHTTPRunsOnIt(t *testing.T) {
	var slots server.Slots
	hooks := newLog()
	l := listen(t, hooks.option(&slots)...)
	s := &http.Server{Handler: http.HandlerFunc(echo)}
	stop := run(t, s, l, s.Serve)

	seen := make(chan int, 10)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		slot, err := readSlot(c)
		seen <- slot
		return c, err
	}}
	post(t, &http.Client{Transport: transport}, "http://"+l.Addr().String(), "HTTP/1.1 hello")
	kit.Equal(t, "connections", len(seen), 1)
	kit.Equal(t, "slot", <-seen, 0)
	kit.Equal(t, "in use while kept alive", slots.InUse(), 1)
	transport.CloseIdleConnections()
	kit.Equal(t, "freed when the client hangs up", <-hooks.freed, 0)

	post(t, &http.Client{Transport: transport}, "http://"+l.Addr().String(), "HTTP/1.1 hello")
	stop()
	kit.Equal(t, "in use after Shutdown", slots.InUse(), 0)
	transport.CloseIdleConnections()
}

// A slot is free when the client resets, even while its handler still works.
func TestHTTPFreesTheSlotOfAResetInMidRequest(t *testing.T) {
	var slots server.Slots
	hooks := newLog()
	l := listen(t, hooks.option(&slots)...)
	begun, finish := make(chan struct{}), make(chan struct{})
	s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-finish
	})}
	stop := run(t, s, l, s.Serve)
	client := dial(t, l)
	slotOf(t, client)
	kit.Must(io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))(t)
	<-begun
	refuse(t, client)
	kit.Equal(t, "freed", <-hooks.freed, 0)
	close(finish)
	stop()
	kit.Equal(t, "freed once more", len(hooks.freed), 0)
}

// Sendfile reaches the inner connection, and every byte arrives.
func TestHTTPServesAFile(t *testing.T) {
	l := listen(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(sent))
	})}
	stop := run(t, s, l, s.Serve)
	client := dial(t, l)
	slotOf(t, client)
	kit.Must(io.WriteString(client, "GET / HTTP/1.0\r\n\r\n"))(t)
	answer := kit.Must(io.ReadAll(client))(t)
	if !bytes.HasSuffix(answer, sent) {
		t.Errorf("got %d bytes", len(answer))
	}
	stop()
}

// HTTP/2 with the line inside TLS, and before it, as the package comment says.
func TestHTTP2RunsOnIt(t *testing.T) {
	serverSide, clientSide := certificate()
	for name, test := range map[string]struct {
		inside bool
		proto  []string
		want   string
	}{
		"HTTP/2, line inside":   {true, []string{"h2"}, "HTTP/2.0 hello"},
		"HTTP/2, line before":   {false, []string{"h2"}, "HTTP/2.0 hello"},
		"HTTP/1.1, line inside": {true, []string{"http/1.1"}, "HTTP/1.1 hello"},
		"HTTP/1.1, line before": {false, []string{"http/1.1"}, "HTTP/1.1 hello"},
	} {
		t.Run(name, func(t *testing.T) {
			var slots server.Slots
			inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
			s := &http.Server{Handler: http.HandlerFunc(echo), Protocols: new(http.Protocols)}
			s.Protocols.SetHTTP1(true)
			s.Protocols.SetHTTP2(true)
			s.TLSConfig = serverSide.Clone()
			closed := make(chan struct{}, 1)
			s.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateClosed {
					closed <- struct{}{}
				}
			}
			serve := func(l net.Listener) error { return s.ServeTLS(l, "", "") }
			if test.inside {
				s.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
				inner = tls.NewListener(inner, s.TLSConfig)
				s.Protocols.SetUnencryptedHTTP2(true)
				serve = s.Serve
			}
			l := kit.Must(server.NewListener(inner, server.WithSlots(&slots)))(t)
			stop := run(t, s, l, serve)

			config := clientSide.Clone()
			config.NextProtos = test.proto
			transport := &http.Transport{ForceAttemptHTTP2: true,
				DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
					plain, err := new(net.Dialer).DialContext(ctx, network, addr)
					if err != nil {
						return nil, err
					}
					secure := tls.Client(plain, config)
					line := io.Reader(plain)
					if test.inside {
						line = secure
					}
					slot, err := readSlot(line)
					if slot != 0 {
						err = errors.Join(err, fmt.Errorf("slot %d", slot))
					}
					return secure, errors.Join(err, secure.HandshakeContext(ctx))
				}}
			post(t, &http.Client{Transport: transport}, "https://"+l.Addr().String(), test.want)
			kit.Equal(t, "in use", slots.InUse(), 1)
			transport.CloseIdleConnections()
			stop()
			<-closed // a second Close of a *tls.Conn returns while the first still runs
			kit.Equal(t, "in use at the end", slots.InUse(), 0)
		})
	}
}
