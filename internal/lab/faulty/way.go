//go:build !plan9

package faulty

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// Way is how a client gets to a server; the zero Way is straight there.
type Way struct {
	words string
	host  string // the name to dial; empty: the server's address
	wrap  func(*Server, Dialer) Dialer
}

// Straight reports whether any dialer gets there, and not only the server's own.
func (w Way) Straight() bool { return w.wrap == nil }

// DialFunc is a function as a Dialer.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext calls f.
func (f DialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// Fails is a way that ends in the system call named, with the cause given.
func Fails(call string, cause syscall.Errno) Way {
	return dead("`"+call+"` fails with `"+cause.Error()+"`", func(_ context.Context, network string) (net.Conn, error) {
		return nil, failed(call, cause, network)
	})
}

// Drops is a way that drops every packet.
func Drops() Way { return dead("the network drops every packet", hang) }

// Panics is a dialer that panics.
func Panics() Way {
	return dead("the given dialer panics", func(context.Context, string) (net.Conn, error) {
		panic("faulty: a dialer that panics")
	})
}

// Late is a dialer that comes back with a socket when its context is over.
func Late() Way {
	return Way{words: "the given dialer returns a socket when its context is over", wrap: func(_ *Server, d Dialer) Dialer {
		return DialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			<-ctx.Done()
			return d.DialContext(context.WithoutCancel(ctx), network, address)
		})
	}}
}

// ResolverHangs is a name server that never answers.
func ResolverHangs() Way {
	return resolving("the name server never answers", func(ctx context.Context, s *Server) (net.Conn, error) {
		// Lookups of one name are shared. One caller's context does not end the lookup for the
		// others, and after the last it may run to its own timeout, which takes seconds.
		select {
		case <-ctx.Done():
		case <-s.over:
		}
		return nil, failed("connect", syscall.ETIMEDOUT, "udp")
	})
}

// ResolverFails is a name server that refuses to talk.
func ResolverFails() Way {
	return resolving("the name server cannot be reached", func(context.Context, *Server) (net.Conn, error) {
		return nil, failed("connect", syscall.ECONNREFUSED, "udp")
	})
}

// NoSuchHost is a name server that does not know the name.
func NoSuchHost() Way {
	return resolving("the name server does not know the name", func(context.Context, *Server) (net.Conn, error) {
		client, server := net.Pipe()
		// denyNames ends when the resolver closes its end: with an answer, or at its timeout.
		go denyNames(server)
		return client, nil
	})
}

// dead is a way that leads nowhere.
func dead(words string, dial func(ctx context.Context, network string) (net.Conn, error)) Way {
	return Way{words: words, wrap: func(*Server, Dialer) Dialer {
		return DialFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dial(ctx, network)
		})
	}}
}

// resolving is a way on which the name has to be asked for, and the one name server is reached by
// dial. No packet leaves the process.
func resolving(words string, dial func(context.Context, *Server) (net.Conn, error)) Way {
	firstLookup()
	return Way{words: words, host: noHost, wrap: func(s *Server, _ Dialer) Dialer {
		return &net.Dialer{Resolver: &net.Resolver{
			PreferGo: true,
			Dial:     func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, s) },
		}}
	}}
}

// noHost is a name that can never exist; the dot keeps search domains away.
const noHost = "rover.invalid."

// firstLookup looks up a name without a name server. The first lookup of a process makes
// channels that all later ones use. If made in a bubble, they could not be used outside it.
var firstLookup = sync.OnceFunc(func() {
	resolver := &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, failed("connect", syscall.ECONNREFUSED, "udp")
		},
	}
	_, _ = resolver.LookupHost(context.Background(), noHost)
})

// denyNames answers each question on conn with "no such name", until conn ends. The messages are
// DNS's over a stream (RFC 1035, 4.2.2): two bytes of length, twelve of header, the question.
func denyNames(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		message := make([]byte, int(length[0])<<8|int(length[1]))
		if _, err := io.ReadFull(conn, message); err != nil || len(message) < 12 {
			return
		}
		end := 12
		for end < len(message) && message[end] != 0 { // the labels of the name
			end += 1 + int(message[end])
		}
		end += 5 // the root label, type and class
		if end > len(message) {
			return
		}
		message[2] |= 0x80          // an answer
		message[3] = 0x83           // recursion available, no such name
		clear(message[6:12])        // no records of any kind …
		message = message[:end:end] // … behind the question
		length = [2]byte{byte(end >> 8), byte(end)}
		if _, err := conn.Write(append(length[:], message...)); err != nil {
			return
		}
	}
}

// hang waits for the context's end, like a dial that nobody answers.
func hang(ctx context.Context, network string) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
}

func failed(call string, cause syscall.Errno, network string) error {
	return &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError(call, cause)}
}
