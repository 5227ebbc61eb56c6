package rover_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// However the server's bytes were cut, what is kept is the very connection
// that the dialer made, with all it can do, and what follows the line is in it.
func TestAKeptSocketIsTheDialersOwn(t *testing.T) {
	for _, line := range []string{"13\r\n", "13\r\nHELLO"} {
		server, _ := kit.ServeLine(t, line, nil)
		dialed := make(chan net.Conn, 9)
		_, c := kit.Find(t, server, rover.WithDialer(kit.DialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			dialed <- conn
			return conn, err
		})))
		conn := kit.Must(c.Keep())(t)
		kit.Equal(t, "connection", conn, <-dialed)
		if _, ok := conn.(*net.TCPConn); !ok {
			t.Errorf("kept %T", conn)
		}
		if rest := line[4:]; rest != "" {
			b := make([]byte, len(rest))
			_, err := io.ReadFull(conn, b)
			kit.Check(t, err)
			kit.Equal(t, "what follows", string(b), rest)
		}
		conn.Close()
	}
}

func TestAKeptTLSSocketIsTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	config := &tls.Config{Certificates: web.TLS.Certificates}
	web.Close()
	server, _ := kit.ServeLine(t, "13\r\nHELLO", func(l net.Listener) net.Listener { return tls.NewListener(l, config) })
	_, c := kit.Find(t, server, rover.WithDialer(&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}))
	conn := kit.Must(c.Keep())(t)
	defer conn.Close()
	if _, ok := conn.(*tls.Conn); !ok {
		t.Errorf("kept %T", conn)
	}
	b := make([]byte, 5)
	_, err := io.ReadFull(conn, b)
	kit.Check(t, err)
	kit.Equal(t, "what follows", string(b), "HELLO")
}

// A deadline that the dialer left for its handshake is not the keeper's.
func TestAKeptSocketHasNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t, rover.WithInterval(time.Hour), rover.WithDialer(kit.DialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(kit.SlotDialer).DialContext(ctx, network, address)
			deadline, _ := ctx.Deadline()
			kit.Check(t, conn.SetDeadline(deadline))
			return conn, err
		})))
		items := s.Connections().Observe()
		kit.Start(t, s)
		conn := kit.Must((<-items).V.(*rover.Connection).Keep())(t)
		s.Stop()
		time.Sleep(24 * time.Hour)
		_, err := conn.Write([]byte("x"))
		kit.Check(t, err)
		conn.Close()
	})
}

// A declined socket is reset under a wrapper that embeds it, as most do.
func TestADeclinedWrapperIsReset(t *testing.T) {
	server, conns := kit.ServeLine(t, "1\r\n", nil)
	type counting struct{ net.Conn }
	_, c := kit.Find(t, server, rover.WithDialer(kit.DialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return counting{conn}, err
	})))
	c.Decline()
	conn := <-conns
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server sees %v", err)
	}
}
