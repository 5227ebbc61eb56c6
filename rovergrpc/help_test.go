package rovergrpc_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
	"github.com/callosum-go/rover/rovergrpc"
	"github.com/callosum-go/rover/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A node is a gRPC server that says who it is: once for a call of Who, and for
// each message of a stream of Echo.
type node struct {
	*grpc.Server
	id      string
	slots   server.Slots
	health  *health.Server
	at      rover.Server
	calls   atomic.Int64
	streams atomic.Int64
	hold    atomic.Pointer[chan struct{}] // calls wait for it, if there is one
	refuse  atomic.Bool                   // calls fail with codes.Unavailable
	serving sync.WaitGroup
}

var nodeService = grpc.ServiceDesc{
	ServiceName: "lab.Node",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Who", Handler: func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		n := srv.(*node)
		n.calls.Add(1)
		if wait := n.hold.Load(); wait != nil {
			<-*wait
		}
		if n.refuse.Load() {
			return nil, status.Error(codes.Unavailable, "not now")
		}
		return wrapperspb.String(n.id), decode(new(emptypb.Empty))
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Echo", ServerStreams: true, ClientStreams: true, Handler: func(srv any, stream grpc.ServerStream) error {
		n := srv.(*node)
		n.streams.Add(1)
		defer n.streams.Add(-1)
		for {
			if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
				if err == io.EOF {
					return nil
				}
				return err
			}
			if err := stream.SendMsg(wrapperspb.String(n.id)); err != nil {
				return err
			}
		}
	}}},
}

// serve starts a node on an address, which ends with the test.
func serve(t testing.TB, id, address string, options ...grpc.ServerOption) *node {
	t.Helper()
	n := &node{id: id, health: health.NewServer()}
	l := kit.Must(server.Listen("tcp", address, server.WithSlots(&n.slots)))(t)
	at := l.Addr().(*net.TCPAddr)
	n.at = rover.Server{Host: at.IP.String(), Port: at.Port}
	n.Server = grpc.NewServer(append(options, grpc.ConnectionTimeout(20*time.Second))...)
	n.health.SetServingStatus("lab.Node", healthpb.HealthCheckResponse_SERVING)
	n.RegisterService(&nodeService, n)
	healthpb.RegisterHealthServer(n, n.health)
	n.serving.Go(func() { _ = n.Serve(l) })
	t.Cleanup(func() { n.Stop(); n.serving.Wait() })
	return n
}

// nodes are some on any addresses, and their set.
func nodes(t testing.TB, count int) (all []*node, set map[string]rover.Server) {
	t.Helper()
	set = map[string]rover.Server{}
	for i := range count {
		n := serve(t, fmt.Sprint(i), "127.0.0.1:0")
		all, set[n.id] = append(all, n), n.at
	}
	return all, set
}

// interval makes the policy ten times as fast as it is by default.
const interval = 100 * time.Millisecond

// open is a pool of a rover over a set.
func open(t testing.TB, set map[string]rover.Server, max int) *pool.Pool {
	t.Helper()
	p := kit.Must(pool.Open(context.Background(), pool.WithMax(max), pool.WithRoaming(roam.WithInterval(interval)),
		pool.WithRover(rover.WithServers(set), rover.WithLogger(kit.Quiet()))))(t)
	t.Cleanup(p.Close)
	return p
}

// A client calls nodes.
type client struct{ *grpc.ClientConn }

func dial(t testing.TB, p *pool.Pool, options ...rovergrpc.Option) client {
	t.Helper()
	return dialWith(t, rovergrpc.Over(p, options...), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func dialWith(t testing.TB, options ...grpc.DialOption) client {
	t.Helper()
	c := client{kit.Must(grpc.NewClient(rovergrpc.Target, options...))(t)}
	t.Cleanup(func() { c.Close() })
	return c
}

// who makes a call, and says who has answered.
func (c client) who(ctx context.Context, options ...grpc.CallOption) (string, error) {
	var id wrapperspb.StringValue
	err := c.Invoke(ctx, "/lab.Node/Who", new(emptypb.Empty), &id, options...)
	return id.Value, err
}

// An echo is a stream.
type echo struct{ grpc.ClientStream }

func (c client) echo(ctx context.Context) (echo, error) {
	s, err := c.NewStream(ctx, &nodeService.Streams[0], "/lab.Node/Echo", grpc.WaitForReady(true))
	return echo{s}, err
}

// ping sends a message and says who has answered it.
func (e echo) ping() (string, error) {
	var id wrapperspb.StringValue
	if err := e.SendMsg(new(emptypb.Empty)); err != nil {
		if err != io.EOF {
			return "", err
		}
		return "", e.RecvMsg(&id) // which has the error
	}
	err := e.RecvMsg(&id)
	return id.Value, err
}

// leave ends the stream in order.
func (e echo) leave() error {
	if err := e.CloseSend(); err != nil {
		return err
	}
	if err := e.RecvMsg(new(wrapperspb.StringValue)); err != io.EOF {
		return err
	}
	return nil
}

// soon is a context for what takes no time.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// greeted is a connection to a node whose slot line has been read.
func greeted(t testing.TB, n *node) net.Conn {
	t.Helper()
	conn := kit.Must(net.Dial("tcp", n.at.Addr()))(t)
	for one := make([]byte, 1); one[0] != '\n'; {
		kit.Must(conn.Read(one))(t)
	}
	return conn
}

// offer offers a pool a connection to a node, as if it had been given that slot.
func offer(t testing.TB, p *pool.Pool, n *node, slot int) bool {
	t.Helper()
	return p.Offer(rover.NewConnection(n.id, n.at, slot, greeted(t, n)))
}

// bare is a pool without a rover.
func bare(t testing.TB, max int, options ...pool.Option) *pool.Pool {
	t.Helper()
	p := kit.Must(pool.New(append(options, pool.WithMax(max))...))(t)
	t.Cleanup(p.Close)
	return p
}
