package pool_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/goleak"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newPool is a pool until the test ends.
func newPool(t testing.TB, max int) *pool.Pool {
	t.Helper()
	p := kit.Must(pool.New(pool.WithMax(max)))(t)
	t.Cleanup(p.Close)
	return p
}

// A wire makes both ends of a connection.
type wire func(t testing.TB) (client, server net.Conn)

// wires are the ways a pool watches its connections: by the system, through
// wrappers too, and by reading ahead.
var wires = map[string]wire{"tcp": tcp, "tls": overTLS, "pipe": pipe, "tcp that is not known to be": hidden}

// tcp is a real connection on loopback.
func tcp(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	client = kit.Must(net.Dial("tcp", l.Addr().String()))(t)
	server = kit.Must(l.Accept())(t)
	kit.Check(t, server.(*net.TCPConn).SetLinger(0))
	t.Cleanup(func() { server.Close(); client.Close() })
	return client, server
}

func overTLS(t testing.TB) (client, server net.Conn) {
	t.Helper()
	s := httptest.NewTLSServer(nil) // for its certificate
	defer s.Close()
	c, r := tcp(t)
	client, server = tls.Client(c, &tls.Config{InsecureSkipVerify: true}), tls.Server(r, s.TLS)
	shaken := make(chan error)
	go func() { shaken <- server.(*tls.Conn).Handshake() }()
	kit.Check(t, client.(*tls.Conn).Handshake())
	kit.Check(t, <-shaken)
	return client, server
}

// hidden is TCP of which only net.Conn is to be seen.
func hidden(t testing.TB) (client, server net.Conn) {
	t.Helper()
	client, server = tcp(t)
	return struct{ net.Conn }{client}, server
}

func pipe(t testing.TB) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { server.Close(); client.Close() })
	return client, server
}

var somewhere = rover.Server{Host: "somewhere", Port: 4040}

// offer offers p a connection with a slot, whose other end it returns.
func offer(t testing.TB, p *pool.Pool, slot int, w wire) (server net.Conn, kept bool) {
	t.Helper()
	client, server := w(t)
	return server, p.Offer(rover.NewConnection("a", somewhere, slot, client))
}

// keep is an offer that must be kept.
func keep(t testing.TB, p *pool.Pool, slot int, w wire) (server net.Conn) {
	t.Helper()
	server, kept := offer(t, p, slot, w)
	if !kept {
		t.Fatalf("slot %d was declined", slot)
	}
	return server
}

// get is a Get that must succeed.
func get(t testing.TB, p *pool.Pool) *pool.Conn {
	t.Helper()
	return kit.Must(p.Get(context.Background()))(t)
}

// isClosed waits until the other side has closed, in good order or by a reset.
func isClosed(t testing.TB, server net.Conn) {
	t.Helper()
	n, err := io.Copy(io.Discard, server)
	if n > 0 {
		t.Fatalf("%d bytes came before the end, %v", n, err)
	}
}

// watch gives the pool's changes from now on, one by one.
func watch(t testing.TB, p *pool.Pool) (next func() pool.Change) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	changes := p.Changes().Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(1000))
	return func() pool.Change {
		t.Helper()
		item, ok := <-changes
		if !ok {
			t.Fatal("no more changes")
		}
		return item.V.(pool.Change)
	}
}

// expect reads as many changes, which must be these.
func expect(t testing.TB, next func() pool.Change, kinds ...pool.Kind) {
	t.Helper()
	for _, kind := range kinds {
		kit.Equal(t, "change", next().Kind, kind)
	}
}
