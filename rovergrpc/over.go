// Package rovergrpc puts a pool under a gRPC client, so that its calls follow
// the balance.
//
//	pool ── Get ──▶ lane ── SubConn ──▶ ready ── round robin ──▶ calls
//	                 ▲                    │
//	                 └── Replaced: Shutdown, those under way end in peace
//
// A gRPC client of its own holds one connection until that dies. Here it holds
// several, each a SubConn; calls go round those that are ready. When the pool
// has a better connection, the one it replaces gets no new call, and closes
// when its last call or stream has ended. No server needs a MaxConnectionAge.
//
//	client, err := grpc.NewClient(rovergrpc.Target, rovergrpc.Over(conns),
//		grpc.WithTransportCredentials(insecure.NewCredentials()))
//
// The other way round, [Resolver] makes any gRPC resolver a source of sets of
// servers for a rover.
package rovergrpc

import (
	"context"
	"errors"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/callosum-go/rover/pool"
)

// scheme is the name of the resolver and of the balancer, which is what a
// service config calls it.
const scheme = "rover"

// Target is what to give grpc.NewClient beside [Over]. Any other name in the
// place of "pool" will do; it is what calls have as their authority, and what
// channelz shows.
const Target = scheme + ":///pool"

// Over has a gRPC client use the connections of a pool. It is for [Target], and
// it is the client's dialer: there must be no grpc.WithContextDialer beside it.
//
// Calls wait while the pool is empty. Once that has taken the timeout, those
// without grpc.WaitForReady fail with codes.Unavailable and the reason, until
// there is a connection again. A client that goes idle (grpc.WithIdleTimeout)
// gives all connections up, and borrows again with its next call. Close the
// client before the pool.
//
// In TLS, a server's certificate must be for the Host it has in the set. Where
// the set comes from somebody who is not to be trusted with that, set
// tls.Config.ServerName or grpc.WithAuthority.
//
// If an option is wrong, grpc.NewClient returns the error.
func Over(conns *pool.Pool, options ...Option) grpc.DialOption {
	s, err := configured(conns, options)
	if err != nil {
		return refuse(err)
	}
	return grpc.WithContextDialer(s.dial)
}

// The settings of a client travel with its dialer, which gRPC gives to whoever
// makes a resolver or a balancer. So nothing is registered by name but what has
// no state.
type settingsKey struct{}

// settingsOf asks a dialer for its settings: nil if it is not ours.
func settingsOf(dial func(context.Context, string) (net.Conn, error)) (found *settings) {
	if dial == nil {
		return nil
	}
	ctx, end := context.WithCancel(context.WithValue(context.Background(), settingsKey{}, &found))
	end() // so that another one's does not dial
	if conn, err := dial(ctx, ""); err == nil {
		conn.Close()
	}
	return found
}

// dial is what gRPC calls for a SubConn. The loan is in the attributes of the
// SubConn's address.
func (s *settings) dial(ctx context.Context, _ string) (net.Conn, error) {
	if asked, ok := ctx.Value(settingsKey{}).(**settings); ok {
		*asked = s
		return nil, errors.New("rovergrpc: asked for settings")
	}
	l, ok := credentials.ClientHandshakeInfoFromContext(ctx).Attributes.Value(loanKey{}).(*loan)
	if !ok {
		return nil, fmt.Errorf("rovergrpc: this client does not balance by %q: give grpc.NewClient rovergrpc.Target, and its service config, if it has one, to rovergrpc.WithServiceConfig", scheme)
	}
	return l.dial()
}
