package real

import (
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// A backend is a server that knows nothing of slots, with a listener before it
// that does. It can die and come back at the same address.
type backend struct {
	t    testing.TB
	dial func() (net.Conn, error)
	at   string

	mu    sync.Mutex
	l     *server.Listener
	pairs map[net.Conn]struct{}
}

func newBackend(t testing.TB, dial func() (net.Conn, error)) *backend {
	b := &backend{t: t, dial: dial, at: "127.0.0.1:0"}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *backend) start() {
	l := kit.Must(server.Listen("tcp", b.at))(b.t)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.l, b.at, b.pairs = l, l.Addr().String(), map[net.Conn]struct{}{}
	go b.serve(l, b.pairs)
}

func (b *backend) serve(l *server.Listener, pairs map[net.Conn]struct{}) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			behind, err := b.dial()
			if err != nil {
				return
			}
			defer behind.Close()
			b.mu.Lock()
			pairs[c] = struct{}{}
			b.mu.Unlock()
			go func() {
				io.Copy(behind, c)
				behind.Close()
				c.Close()
			}()
			io.Copy(c, behind)
			c.Close()
			b.mu.Lock()
			delete(pairs, c)
			b.mu.Unlock()
		}()
	}
}

// stop is a crash: everything closes.
func (b *backend) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.l.Close()
	for c := range b.pairs {
		c.Close()
	}
}

// connections is how many there are.
func (b *backend) connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.pairs)
}

func (b *backend) server() rover.Server {
	at := kit.Must(net.ResolveTCPAddr("tcp", b.at))(b.t)
	return rover.Server{Host: at.IP.String(), Port: at.Port}
}

// A fleet is some backends, and clients that find them by their pools, which
// share nothing.
type fleet struct {
	t        testing.TB
	backends map[string]*backend
	pools    []*pool.Pool
}

func newFleet(t testing.TB, clients int, backends map[string]*backend, opts ...pool.Option) *fleet {
	f := &fleet{t: t, backends: backends}
	servers := map[string]rover.Server{}
	for id, b := range backends {
		servers[id] = b.server()
	}
	for range clients {
		p := kit.Must(pool.Open(t.Context(), append([]pool.Option{pool.WithRover(rover.WithServers(servers))}, opts...)...))(t)
		t.Cleanup(p.Close)
		f.pools = append(f.pools, p)
	}
	return f
}

func (f *fleet) join(id string, b *backend) {
	f.backends[id] = b
	for _, p := range f.pools {
		kit.Check(f.t, p.Stream().AddServer(id, b.server()))
	}
}

func (f *fleet) leave(id string) {
	delete(f.backends, id)
	for _, p := range f.pools {
		p.Stream().DropServer(id)
	}
}

// A question goes to some server by one of the clients, and returns which one
// answered.
type question func(client int) (id string, err error)

// load asks by all clients, several at once, until stopped.
type load struct {
	mu      sync.Mutex
	answers map[string]int
	errs    []error
	stopped atomic.Bool
	running sync.WaitGroup
}

func ask(clients, each int, q question) *load {
	l := &load{answers: map[string]int{}}
	for client := range clients {
		for range each {
			l.running.Go(func() {
				for !l.stopped.Load() {
					id, err := q(client)
					l.mu.Lock()
					if err != nil {
						l.errs = append(l.errs, err)
					} else {
						l.answers[id]++
					}
					l.mu.Unlock()
					if err != nil {
						time.Sleep(5 * time.Millisecond) // a dead server is not to fill the log
					}
				}
			})
		}
	}
	return l
}

func (l *load) stop() {
	l.stopped.Store(true)
	l.running.Wait()
}

// since returns what came since the last call.
func (l *load) since() (answers map[string]int, errs []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	answers, errs = l.answers, l.errs
	l.answers, l.errs = map[string]int{}, nil
	return answers, errs
}

// evens waits until each of the backends answers its share, to within a third of
// the mean, over half a second; within is what the policy may take.
func (f *fleet) evens(l *load, within time.Duration) (errs []error) {
	f.t.Helper()
	begun := time.Now()
	for {
		_, before := l.since()
		time.Sleep(500 * time.Millisecond)
		answers, failed := l.since()
		errs = append(append(errs, before...), failed...)
		sum := 0
		for _, n := range answers {
			sum += n
		}
		mean := float64(sum) / float64(len(f.backends))
		even := len(answers) == len(f.backends)
		for _, n := range answers {
			even = even && float64(n) < mean*4/3 && float64(n) > mean*2/3
		}
		if even {
			f.t.Logf("even after %v: %v", time.Since(begun).Round(10*time.Millisecond), answers)
			return errs
		}
		if time.Since(begun) > within {
			f.t.Errorf("not even after %v: %v of %v", within, answers, slices.Sorted(maps.Keys(f.backends)))
			return errs
		}
	}
}

// story has a third server join two, one restart and one leave, under load. What
// fails may fail only while a server is dying, and no more than was under way.
func (f *fleet) story(q question, each int, third *backend, within time.Duration) {
	f.t.Helper()
	l := ask(len(f.pools), each, q)
	defer l.stop()
	none := func(what string, errs []error) {
		f.t.Helper()
		if len(errs) > 0 {
			f.t.Errorf("%s: %d questions failed, %v", what, len(errs), errors.Join(errs[:min(len(errs), 3)]...))
		}
	}
	none("at first", f.evens(l, within))
	f.join("c", third)
	none("with a third", f.evens(l, within))
	most := f.backends["a"].connections()
	f.backends["a"].stop()
	time.Sleep(200 * time.Millisecond)
	f.backends["a"].start()
	if errs := f.evens(l, within); len(errs) > most {
		f.t.Errorf("a server with %d connections restarted, and %d questions failed: %v", most, len(errs), errs[0])
	}
	f.leave("b")
	none("without b", f.evens(l, within))
}
