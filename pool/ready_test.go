package pool_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// readying is a pool whose connections are made ready so.
func readying(t *testing.T, max int, ready func(context.Context, net.Conn) (net.Conn, error)) *pool.Pool {
	p := kit.Must(pool.New(pool.WithMax(max), pool.WithReady(ready)))(t)
	t.Cleanup(p.Close)
	return p
}

// A handshake is made before anybody borrows the connection, in TLS over
// whatever the connection is.
func TestReadyMakesTLS(t *testing.T) {
	s := httptest.NewTLSServer(nil) // for its certificate
	defer s.Close()
	for _, name := range []string{"tcp", "pipe", "tcp that is not known to be"} {
		t.Run(name, func(t *testing.T) {
			p := readying(t, 1, func(ctx context.Context, conn net.Conn) (net.Conn, error) {
				c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
				return c, c.HandshakeContext(ctx)
			})
			server := tls.Server(keep(t, p, 0, wires[name]), s.TLS)
			kit.Check(t, server.Handshake())
			go io.Copy(server, server)
			for range 3 {
				c := get(t, p)
				kit.Check(t, say(c, "x"))
				kit.Equal(t, "heard", hear(t, c, 1), "x")
				if _, ok := c.NetConn().(*tls.Conn); !ok {
					t.Fatalf("lent a %T", c.NetConn())
				}
				kit.Equal(t, "clean", c.Clean(), error(pool.Unwrapped))
				c.Close()
				next := keep(t, p, 0, wires[name])
				server = tls.Server(next, s.TLS)
				kit.Check(t, server.Handshake())
				go io.Copy(server, server)
			}
			c := get(t, p)
			kit.Check(t, say(c, "x"))
			kit.Equal(t, "heard", hear(t, c, 1), "x")
			c.Release()
			c = get(t, p) // the same one, once more
			kit.Check(t, say(c, "y"))
			kit.Equal(t, "heard", hear(t, c, 1), "y")
			c.Release()
			kit.Equal(t, "closed by the pool", p.Stats().Causes[pool.Unread], 0)
			c = get(t, p)
			kit.Check(t, say(c, "xy"))
			kit.Equal(t, "heard", hear(t, c, 1), "x") // the rest is in TLS, and not in the socket
			changes := watch(t, p)
			c.Release()
			expect(t, changes, pool.Closed)
			kit.Equal(t, "unread", p.Stats().Causes[pool.Unread], 1)
		})
	}
}

// What is not ready yet is kept, and lent to nobody.
func TestWhatIsNotReadyIsNotLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := readying(t, 2, func(_ context.Context, conn net.Conn) (net.Conn, error) {
			_, err := io.ReadFull(conn, make([]byte, 1))
			return conn, err
		})
		server := keep(t, p, 0, pipe)
		synctest.Wait()
		s := p.Stats()
		kit.Equal(t, "kept", s.Kept, 1)
		kit.Equal(t, "readying", s.Readying, 1)
		kit.Equal(t, "idle and lent", s.Idle+s.Lent, 0)
		got := make(chan *pool.Conn)
		go func() { got <- get(t, p) }()
		synctest.Wait()
		kit.Equal(t, "waiting", p.Stats().Waiting, 1)
		kit.Check(t, say(server, "!"))
		c := <-got
		kit.Equal(t, "readying", p.Stats().Readying, 0)
		kit.Equal(t, "lent", p.Stats().Lent, 1)
		c.Release()
		kit.Equal(t, "idle", p.Stats().Idle, 1)
	})
}

// What does not become ready closes, and is held against its server.
func TestReadyFails(t *testing.T) {
	for name, ready := range map[string]func(context.Context, net.Conn) (net.Conn, error){
		"error":   func(context.Context, net.Conn) (net.Conn, error) { return nil, errors.New("wrong password") },
		"nothing": func(context.Context, net.Conn) (net.Conn, error) { return nil, nil },
		"panic":   func(context.Context, net.Conn) (net.Conn, error) { panic("no") },
		"silence": func(_ context.Context, conn net.Conn) (net.Conn, error) { return conn, readOne(conn) },
		"wait": func(ctx context.Context, conn net.Conn) (net.Conn, error) {
			<-ctx.Done()
			return conn, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := readying(t, 1, ready)
				next := watch(t, p)
				server := keep(t, p, 0, pipe)
				isClosed(t, server)
				s := p.Stats()
				kit.Equal(t, "kept, leaving, readying", s.Kept+s.Leaving+s.Readying, 0)
				kit.Equal(t, "unready", s.Causes[pool.Unready], 1)
				expect(t, next, pool.Kept, pool.Suspended, pool.Closed)
				if why := p.Why(); why == nil || len(why.(*pool.WaitError).Last) == 0 {
					t.Error(why)
				}
			})
		})
	}
	if _, err := pool.New(pool.WithReady(nil)); err == nil || err.Error() != "pool: ready must not be nil" {
		t.Error(err)
	}
}

// One that is replaced, or whose pool closes, is made ready no longer, and its
// server is not to blame.
func TestReadyIsCutShort(t *testing.T) {
	for name, end := range map[string]func(*pool.Pool){
		"replaced": func(p *pool.Pool) {
			client, _ := net.Pipe()
			p.Offer(rover.NewConnection("b", rover.Server{Host: "b", Port: 1}, 0, client))
		},
		"closed": (*pool.Pool).Close,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := readying(t, 1, func(ctx context.Context, conn net.Conn) (net.Conn, error) { return conn, readOne(conn) })
				server := keep(t, p, 1, pipe)
				start := time.Now()
				end(p)
				isClosed(t, server)
				kit.Equal(t, "took", time.Since(start), 0)
				kit.Equal(t, "unready", p.Stats().Causes[pool.Unready], 0)
			})
		})
	}
}

// Servers that cut who says nothing find a client: the pool is full and stays so.
func TestReadyKeepsThePoolFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, set := newNetwork(), map[string]rover.Server{}
		for _, id := range []string{"a", "b"} {
			set[id] = rover.Server{Host: id, Port: 1}
			n.strict(t, set[id])
		}
		lost := func(opts ...pool.Option) int {
			p := kit.Must(pool.Open(t.Context(), append(opts, pool.WithMax(40), pool.WithRover(rover.WithServers(set),
				rover.WithDialer(n), rover.WithLogger(kit.Quiet())))...))(t)
			defer p.Close()
			time.Sleep(10 * time.Second)
			before := p.Stats()
			time.Sleep(time.Minute)
			if len(opts) > 0 {
				kit.Equal(t, "kept", p.Stats().Kept, 40)
				kit.Equal(t, "idle", p.Stats().Idle, 40)
			}
			return p.Stats().Lost - before.Lost
		}
		if lost() == 0 {
			t.Error("the servers are not strict: the test finds nothing")
		}
		login := func(_ context.Context, conn net.Conn) (net.Conn, error) { return conn, say(conn, "password") }
		kit.Equal(t, "lost in a minute", lost(pool.WithReady(login)), 0)
	})
}
