package pool_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

// All at once: offers of sockets, TLS and pipes, better and worse, of servers
// that answer or hang up; borrowers who ask, forget, panic, come too late, ask for
// one server, fail; ages, surplus and a hard limit; and Close in the midst. Nobody
// reads another's answer, the accounts are even at each moment, and nothing is
// left.
func TestStress(t *testing.T) {
	var open atomic.Int64 // connections that the pool has
	p := kit.Must(pool.New(pool.WithMax(8), pool.WithIdle(1, 7), pool.WithMaxAge(50*time.Millisecond), pool.WithMaxSockets(12)))(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var running sync.WaitGroup
	servers := make(chan struct{}, 40) // at work: there are only so many descriptors
	even := func() {
		s := p.Stats()
		sockets := s.Kept + s.Leaving + s.Trials
		if s.Kept != s.Idle+s.Lent+s.Readying || s.Accepted != s.Kept+s.Replaced+s.Lost+s.Closed || s.Leaving < 0 || s.Kept > 8 || s.Idle > 7 || sockets > 12 {
			t.Errorf("uneven: %+v", s)
			cancel()
		}
	}
	for n := range 3 {
		running.Go(func() {
			for ctx.Err() == nil {
				servers <- struct{}{}
				client, server := stressed(t, n)
				id := string(rune('a' + rand.IntN(4)))
				running.Go(func() {
					defer func() { server.Close(); <-servers }()
					server.SetDeadline(time.Now().Add(time.Duration(rand.IntN(400)) * time.Millisecond))
					if id == "a" && rand.IntN(2) == 0 {
						return // no good server
					}
					io.Copy(server, server)
				})
				open.Add(1)
				p.Offer(rover.NewConnection(id, rover.Server{Host: id, Port: 1}, rand.IntN(100), &closing{Conn: client, open: &open}))
			}
		})
	}
	var loans, wrong atomic.Int64
	for range 12 {
		running.Go(func() {
			for ctx.Err() == nil {
				short, stop := context.WithTimeout(ctx, time.Duration(rand.IntN(20))*time.Millisecond)
				var c *pool.Conn
				var err error
				if rand.IntN(4) == 0 {
					c, err = p.ForServer(short, "b")
				} else {
					c, err = p.Get(short)
				}
				stop()
				if errors.Is(err, pool.ErrClosed) {
					return
				}
				if err == nil {
					loans.Add(1)
					borrow(c, &wrong)
				}
				even()
			}
		})
	}
	time.AfterFunc(1500*time.Millisecond, p.Close)
	running.Wait()
	p.Close()
	s := p.Stats()
	t.Logf("%d loans; %+v", loans.Load(), s)
	kit.Equal(t, "wrong answers", wrong.Load(), 0)
	kit.Equal(t, "kept, leaving, waiting, on trial", s.Kept+s.Leaving+s.Waiting+s.Trials, 0)
	kit.Equal(t, "open", open.Load(), 0)
	if loans.Load() < 100 || s.Causes[pool.Aged] == 0 || s.Causes[pool.Unanswered] == 0 {
		t.Errorf("too little has happened: %d loans, %v", loans.Load(), s.Causes)
	}
}

// stressed makes both ends of a connection, of the n-th kind.
func stressed(t testing.TB, n int) (client, server net.Conn) {
	if n == 2 {
		return net.Pipe()
	}
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	client = kit.Must(net.Dial("tcp", l.Addr().String()))(t)
	server = kit.Must(l.Accept())(t)
	if n == 1 {
		client = struct{ net.Conn }{client}
	}
	return client, server
}

// borrow does one of the things that borrowers do.
func borrow(c *pool.Conn, wrong *atomic.Int64) {
	defer func() { recover() }()
	defer c.Release()
	word := []byte{byte('a' + rand.IntN(26)), byte('a' + rand.IntN(26)), byte('a' + rand.IntN(26)), byte('a' + rand.IntN(26))}
	c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	switch rand.IntN(30) {
	case 0:
		return
	case 1:
		c.Close()
	case 2:
		c.Write(word)
		panic("between question and answer")
	case 3:
		c.Fail(errors.New("no good"))
	case 4:
		c.SetDeadline(time.Now())
		c.Write(word)
		c.Read(word)
	default:
		got := make([]byte, len(word))
		if _, err := c.Write(word); err != nil {
			return
		}
		if _, err := io.ReadFull(c, got); err == nil && string(got) != string(word) {
			wrong.Add(1)
		}
	}
}

// closing counts itself off.
type closing struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *closing) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// NetConn shows the socket below.
func (c *closing) NetConn() net.Conn { return c.Conn }
