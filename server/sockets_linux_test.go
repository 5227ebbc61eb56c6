package server_test

import (
	"crypto/tls"
	"net"
	"testing"

	"go.uber.org/goleak"

	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/server"
)

// Whatever clients do, no socket stays behind.
func TestNoSocketStaysOpen(t *testing.T) {
	serverSide, clientSide := certificate()
	goleak.VerifyNone(t)
	before := kit.Sockets()
	inner := kit.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	l := kit.Must(server.NewListener(tls.NewListener(inner, serverSide)))(t)
	stop := serve(t, l, readToEnd)
	for range 10 {
		refused := tls.Client(dial(t, l), clientSide)
		slotOf(t, refused)
		refuse(t, refused.NetConn())

		closed := tls.Client(dial(t, l), clientSide)
		slotOf(t, closed)
		kit.Check(t, closed.Close())

		nonsense := dial(t, l)
		kit.Must(nonsense.Write([]byte("GET / HTTP/1.0\r\n\r\n")))(t)
		readToEnd(nonsense)
		kit.Check(t, nonsense.Close())

		refuse(t, dial(t, l))
	}
	stalling := dial(t, l)
	kept := dial(t, l)
	slotOf(t, tls.Client(kept, clientSide)) // is accepted after the stalling one
	during := kit.Sockets()
	if during < before+5 { // the listener, two at either end
		t.Errorf("%d sockets before, %d with two clients: the count does not count", before, during)
	}
	kit.Check(t, kept.Close())
	stop() // ends the stalling one too
	kit.Check(t, stalling.Close())
	goleak.VerifyNone(t)
	// goleak has waited for those that still close something.
	kit.Equal(t, "sockets at the end", kit.Sockets(), before)
}
