package etcd_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/discover/etcd"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/lab/sources"
)

// A server is a real etcd, which dies by kill -9.
type server struct {
	t         testing.TB
	dir       string
	url, peer string
	cmd       *exec.Cmd
	ended     chan struct{}
}

func free(t testing.TB) string {
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return "http://" + l.Addr().String()
}

func newServer(t testing.TB) *server {
	t.Helper()
	if _, err := exec.LookPath("etcd"); err != nil {
		t.Skip("there is no etcd on the path")
	}
	s := &server{t: t, dir: t.TempDir(), url: free(t), peer: free(t)}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.cmd = exec.Command("etcd", "--data-dir", s.dir, "--listen-client-urls", s.url, "--advertise-client-urls", s.url,
		"--listen-peer-urls", s.peer, "--initial-advertise-peer-urls", s.peer, "--initial-cluster", "default="+s.peer, "--log-level", "panic", "--unsafe-no-fsync")
	kit.Check(s.t, s.cmd.Start())
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() { defer close(ended); _ = cmd.Wait() }()
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

func (s *server) down() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// client is one of its own for each rig.
func (s *server) client() *clientv3.Client {
	c := kit.Must(clientv3.New(clientv3.Config{Endpoints: []string{s.url}, DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
		BackoffWaitBetween: 10 * time.Millisecond, DialKeepAliveTime: time.Second, DialKeepAliveTimeout: time.Second}))(s.t)
	s.t.Cleanup(func() { c.Close() })
	return c
}

const prefix = "/services/slot/"

// put makes these the keys, in one transaction.
func put(t testing.TB, c *clientv3.Client, values map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	got := kit.Must(c.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly()))(t)
	var ops []clientv3.Op
	for _, kv := range got.Kvs {
		if _, stays := values[string(kv.Key)[len(prefix):]]; !stays {
			ops = append(ops, clientv3.OpDelete(string(kv.Key)))
		}
	}
	for id, value := range values {
		ops = append(ops, clientv3.OpPut(prefix+id, value))
	}
	kit.Must(c.Txn(ctx).Then(ops...).Commit())(t)
}

func TestWatchStandsTheSuite(t *testing.T) {
	sources.Run(t, func(t testing.TB) *sources.Rig {
		s := newServer(t)
		c := s.client()
		heal := func() {
			if s.down() {
				s.start()
			}
		}
		return &sources.Rig{
			Own:  []string{"rover/discover/etcd.", "rover/discover.", "clientv3.(*watchGrpcStream)"},
			Open: func(opts ...discover.Option) rxgo.Observable { return etcd.Watch(c, prefix, opts...) },
			Put: func(servers map[string]rover.Server) {
				heal()
				values := map[string]string{}
				for id, server := range servers {
					values[id] = server.Addr()
				}
				put(t, c, values)
			},
			Fail:  map[string]func(){"kill -9": s.kill},
			Spoil: func(id string) { kit.Must(c.Put(context.Background(), prefix+id, "nonsense"))(t) },
			Restart: func() {
				s.kill()
				heal()
				kit.Must(c.Put(context.Background(), "/other", "1"))(t)
			},
		}
	})
}

// A subscriber that missed revisions which are gone reads all keys anew.
func TestCompaction(t *testing.T) {
	s := newServer(t)
	c, way := s.client(), newWay(t, s.url)
	slow := kit.Must(clientv3.New(clientv3.Config{Endpoints: []string{way.url}, Logger: zap.NewNop(), DialKeepAliveTime: time.Second, DialKeepAliveTimeout: time.Second}))(t)
	defer slow.Close()
	put(t, c, map[string]string{"a": "h:1"})
	items := etcd.Watch(slow, prefix, discover.WithRefresh(50*time.Millisecond, time.Hour)).Observe(rxgo.WithContext(t.Context()), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	kit.Equal(t, "set", fmt.Sprint((<-items).V), "map[a:h:1]")
	way.cut()
	for port := range 20 {
		put(t, c, map[string]string{"a": fmt.Sprint("h:", port+2)})
	}
	got := kit.Must(c.Get(context.Background(), prefix))(t)
	kit.Must(c.Compact(context.Background(), got.Header.Revision))(t)
	way.mend()
	limit := time.After(30 * time.Second)
	for {
		select {
		case item := <-items:
			if item.Error() {
				t.Log(item.E)
				continue
			}
			kit.Equal(t, "set", fmt.Sprint(item.V), "map[a:h:21]")
			return
		case <-limit:
			t.Fatal("the set did not come")
		}
	}
}

// A way is a relay that can be cut.
type way struct {
	url   string
	mu    sync.Mutex
	is    bool
	conns []net.Conn
}

func newWay(t testing.TB, url string) *way {
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	w := &way{url: "http://" + l.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", url[len("http://"):])
			w.mu.Lock()
			if w.is || err != nil {
				from.Close()
				w.mu.Unlock()
				continue
			}
			w.conns = append(w.conns, from, to)
			w.mu.Unlock()
			running.Go(func() { pipe(from, to) })
			running.Go(func() { pipe(to, from) })
		}
	})
	t.Cleanup(func() { l.Close(); w.cut(); running.Wait() })
	return w
}

func pipe(from, to net.Conn) {
	defer to.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.is = true
	for _, c := range w.conns {
		c.Close()
	}
}

func (w *way) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.is = false
}
