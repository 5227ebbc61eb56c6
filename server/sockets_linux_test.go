package server_test

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/callosum-go/rover/server"
)

// Whatever clients do, no socket stays behind.
func TestNoSocketStaysOpen(t *testing.T) {
	serverSide, clientSide := certificate()
	goleak.VerifyNone(t)
	before := sockets(t)
	inner := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	l := must(server.NewListener(tls.NewListener(inner, serverSide)))(t)
	stop := serve(t, l, readToEnd)
	for range 10 {
		refused := tls.Client(dial(t, l), clientSide)
		slotOf(t, refused)
		refuse(t, refused.NetConn())

		closed := tls.Client(dial(t, l), clientSide)
		slotOf(t, closed)
		check(t, closed.Close())

		nonsense := dial(t, l)
		must(nonsense.Write([]byte("GET / HTTP/1.0\r\n\r\n")))(t)
		readToEnd(nonsense)
		check(t, nonsense.Close())

		refuse(t, dial(t, l))
	}
	stalling := dial(t, l)
	kept := dial(t, l)
	slotOf(t, tls.Client(kept, clientSide)) // is accepted after the stalling one
	during := sockets(t)
	if during < before+5 { // the listener, two at either end
		t.Errorf("%d sockets before, %d with two clients: the count does not count", before, during)
	}
	check(t, kept.Close())
	stop() // ends the stalling one too
	check(t, stalling.Close())
	goleak.VerifyNone(t)
	equal(t, "sockets at the end", sockets(t), before)
}

// sockets counts those of this process. Where goroutines should be gone it comes
// after goleak, which waits for those that still close something. Other
// descriptors do not count: package net keeps pipes to splice with.
func sockets(t *testing.T) int {
	t.Helper()
	n := 0
	for _, fd := range must(os.ReadDir("/proc/self/fd"))(t) {
		if link, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(link, "socket:") {
			n++
		}
	}
	return n
}
