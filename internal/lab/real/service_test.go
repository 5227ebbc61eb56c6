package real_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// A front gives out slots for a server that knows nothing of them: it joins each
// of its connections with one to the server.
type front struct {
	dial    func() (net.Conn, error)
	address string
	l       *server.Listener
	running sync.WaitGroup
	mu      sync.Mutex
	conns   []net.Conn
}

// serveFor starts a front, which ends with the test.
func serveFor(t testing.TB, dial func() (net.Conn, error)) *front {
	t.Helper()
	f := &front{dial: dial, address: "127.0.0.1:0"}
	f.start(t)
	t.Cleanup(f.stop)
	return f
}

func (f *front) start(t testing.TB) {
	t.Helper()
	f.l = kit.Must(server.Listen("tcp", f.address))(t)
	f.address = f.l.Addr().String()
	f.running.Go(func() {
		for {
			client, err := f.l.Accept()
			if err != nil {
				return
			}
			f.running.Go(func() { f.join(client) })
		}
	})
}

func (f *front) join(client net.Conn) {
	defer client.Close()
	backend, err := f.dial()
	if err != nil {
		return
	}
	defer backend.Close()
	f.mu.Lock()
	f.conns = append(f.conns, client)
	f.mu.Unlock()
	f.running.Go(func() {
		_, _ = io.Copy(backend, client)
		backend.Close()
		client.Close()
	})
	_, _ = io.Copy(client, backend)
}

// stop is a crash: whatever is under way breaks off.
func (f *front) stop() {
	f.l.Close()
	f.mu.Lock()
	for _, conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
	f.mu.Unlock()
	f.running.Wait()
}

func (f *front) at() rover.Server {
	at := f.l.Addr().(*net.TCPAddr)
	return rover.Server{Host: at.IP.String(), Port: at.Port}
}

// A service is three servers, two of which are in the set at first. ask asks one
// of them who it is.
type service struct {
	*pool.Pool
	servers [3]*front
	ask     func(ctx context.Context) (id int, err error)
}

// open is a pool over servers 0 and 1, at the default interval.
func open(t testing.TB, servers [3]*front, options ...pool.Option) *service {
	t.Helper()
	set := map[string]rover.Server{"0": servers[0].at(), "1": servers[1].at()}
	p := kit.Must(pool.Open(context.Background(), append([]pool.Option{pool.WithMax(10), pool.WithLogger(kit.Quiet()),
		pool.WithRover(rover.WithServers(set), rover.WithLogger(kit.Quiet()))}, options...)...))(t)
	t.Cleanup(p.Close)
	return &service{Pool: p, servers: servers}
}

// live has the service used while server 2 joins, server 0 restarts and server 1
// leaves. Those who are in the set get their share; errors are those of a
// restart, one for each of those who ask at the most.
func (s *service) live(t *testing.T, askers int, forgiven int) {
	t.Helper()
	count := newTally()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	defer func() { close(stop); asking.Wait() }()
	for range askers {
		asking.Go(func() {
			pause := time.NewTicker(5 * time.Millisecond)
			defer pause.Stop()
			for {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				id, err := s.ask(ctx)
				cancel()
				count.add(id, err)
				select {
				case <-stop:
					return
				case <-pause.C:
				}
			}
		})
	}
	phase := func(what string, members ...int) {
		t.Helper()
		begun := time.Now()
		defer func() {
			if t.Failed() {
				t.Logf("the pool: %+v", s.Stats())
			}
		}()
		shares := count.until(t, what, members)
		t.Logf("%s: everybody has his share after %v: %v, %d errors so far %v", what, time.Since(begun).Round(100*time.Millisecond), shares, count.failed(), count.last())
	}
	phase("two servers", 0, 1)
	kit.Check(t, s.Stream().AddServer("2", s.servers[2].at()))
	phase("2 has joined", 0, 1, 2)
	kit.Equal(t, "errors", count.failed(), 0)
	s.servers[0].stop()
	phase("0 is down", 1, 2)
	s.servers[0].start(t)
	phase("0 is back", 0, 1, 2)
	s.Stream().DropServer("1")
	before := count.failed()
	phase("1 has left", 0, 2)
	kit.Equal(t, "errors of leaving", count.failed(), before)
	if before > forgiven {
		t.Errorf("%d errors in a restart, want %d at the most; the last: %v", before, forgiven, count.last())
	}
}

// A tally is who has answered, of the last answers.
type tally struct {
	mu      sync.Mutex
	answers []int // the last ones
	all     int
	errors  int
	err     error
}

const window = 300

func newTally() *tally { return &tally{} }

func (c *tally) add(id int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.errors++
		c.err = err
		return
	}
	c.all++
	c.answers = append(c.answers, id)
	c.answers = c.answers[max(0, len(c.answers)-window):]
}

func (c *tally) failed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.errors
}

func (c *tally) last() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// until waits for the next answers to come from those members and no others,
// from each at least half of what is fair.
func (c *tally) until(t *testing.T, what string, members []int) (shares [3]int) {
	t.Helper()
	c.mu.Lock()
	c.answers = nil
	c.mu.Unlock()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	late := time.After(30 * time.Second)
	for {
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("%s: after 30 s the last %d answers are of %v; the last error: %v", what, window, shares, c.last())
		}
		c.mu.Lock()
		shares = [3]int{}
		full := len(c.answers) == window
		for _, id := range c.answers {
			shares[id]++
		}
		c.mu.Unlock()
		ok, rest := full, window
		for _, id := range members {
			ok = ok && shares[id] >= window/len(members)/2
			rest -= shares[id]
		}
		if ok && rest == 0 {
			return shares
		}
	}
}
