package relay_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callosum-go/rover/internal/lab/kit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silent = slog.New(slog.DiscardHandler)

// pair is a connection on loopback TCP, or over a Unix socket, both ends of it.
func pair(t testing.TB, network string) (client, server net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = t.TempDir() + "/s"
	}
	l := kit.Must(net.Listen(network, address))(t)
	defer l.Close()
	client = kit.Must(net.Dial(network, l.Addr().String()))(t)
	server = kit.Must(l.Accept())(t)
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// secured is TLS over a pair.
func secured(t testing.TB) (client, server net.Conn) {
	t.Helper()
	c, s := pair(t, "tcp")
	tc, ts := tls.Client(c, &tls.Config{InsecureSkipVerify: true}), tls.Server(s, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	var shakes sync.WaitGroup
	shakes.Go(func() { _ = ts.Handshake() })
	kit.Check(t, tc.Handshake())
	shakes.Wait()
	return tc, ts
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key := kit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der := kit.Must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A half is one end of a pipe that can half-close, for virtual time.
type half struct {
	net.Conn // nil: what is not defined here is not used
	r        *io.PipeReader
	w        *io.PipeWriter
}

func pipe() (a, b *half) {
	r1, w1 := io.Pipe()
	r2, w2 := io.Pipe()
	return &half{r: r1, w: w2}, &half{r: r2, w: w1}
}

func (h *half) Read(p []byte) (int, error)  { return h.r.Read(p) }
func (h *half) Write(p []byte) (int, error) { return h.w.Write(p) }
func (h *half) CloseWrite() error           { return h.w.Close() }
func (h *half) Close() error                { h.r.Close(); return h.w.Close() }

// running calls serve until the test ends, and wants no error of it.
func running(t testing.TB, serve func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		kit.Check(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}
