package rovergrpc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/rovergrpc"
)

// certified is a certificate for one host name alone, which signs itself.
func certified(t *testing.T, name string, trust *x509.CertPool) grpc.ServerOption {
	t.Helper()
	key := kit.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	raw := kit.Must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	trust.AddCert(kit.Must(x509.ParseCertificate(raw))(t))
	return grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}))
}

// Each server is asked for the certificate of its own host.
func TestNamesOfServers(t *testing.T) {
	trust := x509.NewCertPool()
	p := bare(t, 2)
	a := serve(t, "a", "127.0.0.1:0", certified(t, "a.example", trust))
	b := serve(t, "b", "127.0.0.1:0", certified(t, "b.example", trust))
	offer(t, p, a, 0)
	offer(t, p, b, 0)
	t.Run("other names", func(t *testing.T) { // offer has dialed the address, whose name no certificate has
		c := dialWith(t, rovergrpc.Over(p, rovergrpc.WithTimeout(300*time.Millisecond)), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: trust})))
		if _, err := c.who(soon(t)); err == nil || !strings.Contains(err.Error(), "x509") || !strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("got %v", err)
		}
		kit.Within(t, "the connections are gone", 20*time.Second, func() bool { return p.Stats().Lost == 2 })
	})
	q := bare(t, 2)
	offerAs(t, q, a, "a.example")
	offerAs(t, q, b, "b.example")
	c := dialWith(t, rovergrpc.Over(q), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: trust})))
	kit.Within(t, "both answer", 20*time.Second, func() bool {
		kit.Must(c.who(soon(t)))(t)
		return a.calls.Load() > 0 && b.calls.Load() > 0
	})
	t.Run("one name for all", func(t *testing.T) {
		r := bare(t, 1)
		offer(t, r, a, 0)
		c := dialWith(t, rovergrpc.Over(r), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: trust, ServerName: "a.example"})))
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), "a")
	})
	t.Run("an authority for all", func(t *testing.T) {
		r := bare(t, 1)
		offer(t, r, a, 0)
		c := dialWith(t, rovergrpc.Over(r), grpc.WithAuthority("a.example"), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: trust})))
		kit.Equal(t, "who answers", kit.Must(c.who(soon(t)))(t), "a")
	})
}

// offerAs is offer of a node whose host has another name in the set.
func offerAs(t *testing.T, p *pool.Pool, n *node, host string) {
	t.Helper()
	p.Offer(rover.NewConnection(n.id, rover.Server{Host: host, Port: n.at.Port}, 0, greeted(t, n)))
}
