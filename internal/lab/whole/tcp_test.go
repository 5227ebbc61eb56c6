package whole_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

// A kept socket is the *net.TCPConn itself, and nothing of the rover's is left
// on it: no deadline, and no end with the stream's.
func TestAKeptSocketIsTheCallersAlone(t *testing.T) {
	server, conns := kit.ServeLine(t, "13\r\n", nil)
	s, c := kit.Find(t, server, rover.WithDialTimeout(500*time.Millisecond), rover.WithKeepTimeout(300*time.Millisecond))
	conn, err := c.Keep()
	if err != nil || c.Slot != 13 {
		t.Fatal(c, err)
	}
	defer conn.Close()
	if _, raw := conn.(*net.TCPConn); !raw {
		t.Errorf("a %T", conn)
	}
	s.Stop()
	theirs := <-conns
	// Longer than both timeouts: a deadline that was left would ring within.
	late := time.AfterFunc(time.Second, func() { _, _ = io.WriteString(theirs, "late") })
	defer late.Stop()
	buf := make([]byte, 4)
	if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != "late" {
		t.Errorf("%q, %v", buf, err)
	}
}

func TestWhatFollowsTheLineIsNotLost(t *testing.T) {
	server, conns := kit.ServeLine(t, "13\r\nHELLO", nil)
	_, c := kit.Find(t, server)
	conn, err := c.Keep()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	theirs := <-conns
	_, _ = io.WriteString(theirs, " WORLD")
	theirs.Close()
	if all, err := io.ReadAll(conn); string(all) != "HELLO WORLD" || err != nil {
		t.Errorf("%q, %v", all, err)
	}
}

func TestARefusalIsAReset(t *testing.T) {
	server, conns := kit.ServeLine(t, "13\r\n", nil)
	_, c := kit.Find(t, server)
	c.Decline()
	if _, err := (<-conns).Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server reads %v, want a reset", err)
	}
}

func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	secure := func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}})
	}
	server, conns := kit.ServeLine(t, "7\r\nHELLO", secure)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots}}
	_, c := kit.Find(t, server, rover.WithDialer(dialer))
	conn, err := c.Keep()
	if err != nil || c.Slot != 7 {
		t.Fatal(c, err)
	}
	buf := make([]byte, 5)
	if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != "HELLO" {
		t.Errorf("%q, %v", buf, err)
	}
	conn.Close()
	(<-conns).Close()

	_, c = kit.Find(t, server, rover.WithDialer(dialer))
	c.Decline()
	if _, err := io.ReadAll(<-conns); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server reads %v, want a reset", err)
	}
}

// A name, which *net.Dialer must look up, is an attempt with a clock of its
// own; a literal address shares the stream's.
func TestTimeoutsOfNamesAndAddresses(t *testing.T) {
	silent, conns := kit.ServeLine(t, "", nil)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		s := kit.Rove(t, rover.WithServers(map[string]rover.Server{"a": {Host: host, Port: silent.Port}}),
			rover.WithDialTimeout(50*time.Millisecond), rover.WithInterval(time.Hour))
		reported := s.Unreachable().Observe()
		kit.Start(t, s)
		e := (<-reported).V.(*rover.UnreachableError)
		var timeout net.Error
		if !errors.As(e, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: %v", host, e)
		}
		if _, err := (<-conns).Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the server reads %v", host, err)
		}
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
