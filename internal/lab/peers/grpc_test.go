package peers_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/server"
)

// retrySafe has a client send again what a server did not answer.
const retrySafe = `{"methodConfig": [{"name": [{}], "waitForReady": true, "retryPolicy": {
	"maxAttempts": 5, "initialBackoff": "0.001s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
	"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

// TestGRPC has gRPC on both sides of rover, pool and slot servers. Eight
// clients hold a connection each; one of two servers dies under them and comes
// back. No call fails.
func TestGRPC(t *testing.T) {
	ctx := context.Background()
	r := kit.Must(rover.New(rover.WithInterval(time.Millisecond), rover.WithLogger(kit.Quiet())))(t)
	p := kit.Must(pool.New(pool.WithMax(8)))(t)
	p.Attach(ctx, r.Connections())
	a, b := serveGRPC(t, "127.0.0.1:0"), serveGRPC(t, "127.0.0.1:0")
	kit.Check(t, r.AddServer("a", a.at()))
	kit.Check(t, r.AddServer("b", b.at()))
	kit.Check(t, r.Start(ctx))

	var clients []*grpc.ClientConn
	for range 8 {
		clients = append(clients, kit.Must(grpc.NewClient("passthrough:///pool",
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				return p.DialContext(ctx, "tcp", address)
			}),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultServiceConfig(retrySafe)))(t))
	}
	call := func() {
		var calls sync.WaitGroup
		for _, c := range clients {
			calls.Go(func() {
				for range 25 {
					if _, err := healthpb.NewHealthClient(c).Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		calls.Wait()
	}
	call()
	t.Logf("a answered %d, b %d", a.answered.Load(), b.answered.Load())
	if a.answered.Load() == 0 || b.answered.Load() == 0 {
		t.Error("one server answered nothing, though both have free slots")
	}
	a.die()
	call()
	a = serveGRPC(t, a.address)
	call()
	for _, c := range clients {
		kit.Check(t, c.Close())
	}
	r.Stop()
	p.Close()
	a.die()
	b.die()
}

// A grpcServer answers health checks on a slot server.
type grpcServer struct {
	*grpc.Server
	*server.Listener
	address  string
	answered atomic.Int64
	serving  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	dead  bool
}

func serveGRPC(t *testing.T, address string) *grpcServer {
	t.Helper()
	s := &grpcServer{Listener: kit.Must(server.Listen("tcp", address))(t)}
	s.address = s.Addr().String()
	s.Server = grpc.NewServer(grpc.UnaryInterceptor(
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			s.answered.Add(1)
			return handle(ctx, req)
		}))
	healthpb.RegisterHealthServer(s, health.NewServer())
	s.serving.Go(func() { s.Serve(s) })
	return s
}

func (s *grpcServer) at() rover.Server {
	at := s.Addr().(*net.TCPAddr)
	return rover.Server{Host: at.IP.String(), Port: at.Port}
}

// Accept remembers the connections, for grpc.Server's Stop waits up to its
// ConnectionTimeout for those nobody has used yet.
func (s *grpcServer) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		conn.Close()
	}
	s.conns = append(s.conns, conn)
	return conn, nil
}

func (s *grpcServer) die() {
	s.mu.Lock()
	s.dead = true
	for _, conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.Stop()
	s.serving.Wait()
}
