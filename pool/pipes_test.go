package pool_test

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// A network is where slot servers listen and rovers dial, over pipes: it works
// in virtual time.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipes // by address
}

func newNetwork() *network { return &network{listeners: make(map[string]*pipes)} }

func (n *network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
	}
	client, conn := net.Pipe()
	select {
	case l.queue <- conn:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNRESET}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipes is a listener of the network.
type pipes struct {
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
	leave  func()
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.queue:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() {
		l.leave()
		close(l.closed)
	})
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (n *network) listen(address string) net.Listener {
	l := &pipes{queue: make(chan net.Conn), closed: make(chan struct{})}
	l.leave = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.listeners, address)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[address] = l
	return l
}

// serve runs a slot server whose clients say nothing, until die, which closes
// all connections.
func (n *network) serve(t testing.TB, at rover.Server) (die func()) {
	l := kit.Must(server.NewListener(n.listen(at.Addr())))(t)
	var tasks sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	tasks.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			tasks.Go(func() {
				defer conn.Close()
				io.Copy(io.Discard, struct{ io.Reader }{conn})
			})
		}
	})
	return func() {
		kit.Check(t, l.Close())
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		tasks.Wait()
	}
}

// strict runs a slot server that hangs up on who says nothing within a second.
func (n *network) strict(t testing.TB, at rover.Server) {
	l := kit.Must(server.NewListener(n.listen(at.Addr())))(t)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				conn.SetReadDeadline(time.Now().Add(time.Second))
				if _, err := conn.Read(make([]byte, 8)); err != nil {
					return
				}
				conn.SetReadDeadline(time.Time{})
				io.Copy(io.Discard, struct{ io.Reader }{conn})
			})
		}
	})
	t.Cleanup(func() { l.Close(); tasks.Wait() })
}
