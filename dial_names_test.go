package rover_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// resolver answers each question with those of the addresses that it asks for.
func resolver(addresses ...string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe() // a stream: each message has its length before it
		go func() {
			defer server.Close()
			var size [2]byte
			for {
				if _, err := io.ReadFull(server, size[:]); err != nil {
					return
				}
				question := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(server, question); err != nil {
					return
				}
				reply := answer(question, addresses)
				_, _ = server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
			}
		}()
		return client, nil
	}}
}

// answer is RFC 1035, section 4.
func answer(question []byte, addresses []string) []byte {
	end := 12 // of the question's name
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	kind := question[end+2] // A or AAAA
	reply := append([]byte{question[0], question[1], 0x85, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end+5]...)
	for _, a := range addresses {
		if ip := netip.MustParseAddr(a); ip.Is4() == (kind == 1) {
			reply[7]++
			reply = append(reply, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 1, 0, byte(len(ip.AsSlice())))
			reply = append(reply, ip.AsSlice()...)
		}
	}
	return reply
}

// firstFailure roves over a name and returns the first event, which is no connection.
func firstFailure(t *testing.T, dialer *net.Dialer, port int) error {
	t.Helper()
	s := kit.Rove(t, rover.WithInterval(time.Hour), rover.WithDialer(dialer),
		rover.WithServers(map[string]rover.Server{"a": {Host: "several.test.", Port: port}}))
	down, failed := s.Unreachable().Observe(), s.Errors().Observe()
	kit.Start(t, s)
	defer s.Stop()
	select {
	case item := <-down:
		return item.V.(error)
	case item := <-failed:
		return item.V.(error)
	}
}

// closed is a port where nobody listens.
func closed(t *testing.T) int {
	l := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Of a name with several addresses, each one's error is in the outcome's; the
// server is to blame if any of them answered or refused.
func TestTheErrorsOfANamesAddresses(t *testing.T) {
	fails := func(with map[string]error) func(string, string, syscall.RawConn) error {
		return func(_, address string, _ syscall.RawConn) error {
			host, _, _ := net.SplitHostPort(address)
			if err := with[host]; err != nil {
				return os.NewSyscallError("connect", err)
			}
			return nil
		}
	}
	t.Run("one family is not in use, the other refuses", func(t *testing.T) {
		err := firstFailure(t, &net.Dialer{Resolver: resolver("::1", "127.0.0.1"), Control: fails(map[string]error{"::1": syscall.EADDRNOTAVAIL})}, closed(t))
		if _, ok := err.(*rover.UnreachableError); !ok || errors.Is(err, rover.ErrResources) {
			t.Errorf("%T: %v", err, err)
		}
		for _, cause := range []error{syscall.EADDRNOTAVAIL, syscall.ECONNREFUSED} {
			if !errors.Is(err, cause) {
				t.Errorf("%v hides %v", err, cause)
			}
		}
	})
	t.Run("all fail on this side", func(t *testing.T) {
		err := firstFailure(t, &net.Dialer{Resolver: resolver("127.0.0.2", "127.0.0.3"),
			Control: fails(map[string]error{"127.0.0.2": syscall.EMFILE, "127.0.0.3": syscall.ENOMEM})}, 1)
		local, ok := err.(*rover.LocalError)
		if !ok || !errors.Is(err, syscall.EMFILE) || !errors.Is(err, syscall.ENOMEM) || !strings.HasPrefix(local.Addr, "127.0.0.") {
			t.Errorf("%T: %v", err, err)
		}
	})
	t.Run("one of two refuses", func(t *testing.T) {
		err := firstFailure(t, &net.Dialer{Resolver: resolver("127.0.0.2", "127.0.0.3"), Control: fails(map[string]error{"127.0.0.2": syscall.EMFILE})}, closed(t))
		if _, ok := err.(*rover.UnreachableError); !ok || !errors.Is(err, syscall.EMFILE) || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

// Our own limits are not the server's fault.
func TestLocalCauses(t *testing.T) {
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.EPERM, syscall.EACCES} {
		dialer := &net.Dialer{Resolver: resolver("127.0.0.1"), Control: func(string, string, syscall.RawConn) error { return cause }}
		if err := firstFailure(t, dialer, 1); !errors.Is(err, rover.ErrResources) || !errors.Is(err, cause) {
			t.Errorf("%v is %T: %v", cause, err, err)
		}
	}
}

// A name with three addresses is three servers: all of them are dialed.
func TestANamesAddressesAreAllDialed(t *testing.T) {
	hosts := []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}
	port := 0
	for _, host := range hosts {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(host), Port: port})
		if err != nil {
			t.Skip(err)
		}
		defer l.Close()
		port = l.Addr().(*net.TCPAddr).Port
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, "0\r\n")
				defer conn.Close()
			}
		}()
	}
	s := kit.Rove(t, rover.WithInterval(time.Millisecond), rover.WithDialer(&net.Dialer{Resolver: resolver(hosts...)}),
		rover.WithServers(map[string]rover.Server{"fleet": {Host: "fleet.test.", Port: port}}))
	met := map[string]bool{}
	outcomes := rover.Events[rover.Outcome](t.Context(), s.Outcomes())
	declined := rover.Accept(s.Connections(), rover.SlotBelow(0)).Run()
	kit.Start(t, s)
	n := 0
	for o := range outcomes {
		host, _, _ := net.SplitHostPort(o.Addr)
		met[host] = true
		if n++; n == 200 || len(met) == 3 {
			break
		}
	}
	s.Stop()
	<-declined
	kit.Equal(t, "addresses", len(met), 3)
}
