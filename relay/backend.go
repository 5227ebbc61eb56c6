package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/callosum-go/rover/internal/socket"
	"github.com/pires/go-proxyproto"
)

// unixPrefix marks an address as a path: "unix:/run/redis.sock".
const unixPrefix = "unix:"

// SplitAddress returns network and address of "host:port" or "unix:/path".
func SplitAddress(s string) (network, address string) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		return "unix", path
	}
	return "tcp", s
}

// Dialer returns the Dial of a Front whose server is at "host:port" or
// "unix:/path".
func Dialer(address string) func(context.Context) (net.Conn, error) {
	network, address := SplitAddress(address)
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// Listen listens on "host:port" or "unix:/path". A socket's file that nobody
// listens to any more, after a crash, makes room.
func Listen(address string) (net.Listener, error) {
	network, address := SplitAddress(address)
	l, err := net.Listen(network, address)
	if network != "unix" || !errors.Is(err, socket.AddressInUse) {
		return l, err
	}
	if conn, dialed := net.Dial(network, address); dialed == nil {
		conn.Close()
		return nil, err
	} else if !errors.Is(dialed, socket.Refused) {
		return nil, err
	}
	if removed := os.Remove(address); removed != nil {
		return nil, fmt.Errorf("%w; removing what is left there: %w", err, removed)
	}
	return net.Listen(network, address)
}

// A Header makes what a server gets before any byte of the client. The addresses
// are nil where a Front asks for itself.
type Header func(client, front net.Addr) []byte

// ProxyProtocol makes a Header of the PROXY protocol, version 1 or 2, as HAProxy
// defines it (www.haproxy.org/download/3.0/doc/proxy-protocol.txt): who the client
// is. Behind a Proxy, that is the Proxy.
func ProxyProtocol(version int) (Header, error) {
	if version != 1 && version != 2 {
		return nil, fmt.Errorf("relay: the PROXY protocol's version must be 1 or 2, got %d", version)
	}
	return func(client, front net.Addr) []byte {
		header := proxyproto.HeaderProxyFromAddrs(byte(version), client, front)
		text, err := header.Format()
		if err != nil { // addresses that it has no name for
			header = proxyproto.HeaderProxyFromAddrs(byte(version), nil, nil)
			text, _ = header.Format()
		}
		return text
	}, nil
}
