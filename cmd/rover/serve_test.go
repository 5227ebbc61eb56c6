package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A script takes what is written, a line each time.
type script chan string

func (s script) Write(b []byte) (int, error) {
	s <- strings.TrimSuffix(string(b), "\n")
	return len(b), nil
}

// serving runs the command. line returns its next line; end ends it, checks that
// the exit code is 0 and returns the rest.
func serving(t *testing.T, args ...string) (line func() string, end func() (rest []string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	lines := make(script, 100)
	var stderr strings.Builder
	go func() {
		defer close(lines)
		if code := run(ctx, append([]string{"rover", "serve", "--listen", "127.0.0.1:0"}, args...), lines, &stderr); code != 0 {
			t.Errorf("exit code %d, stderr %q", code, stderr.String())
		}
	}()
	line = func() string {
		t.Helper()
		text, ok := <-lines
		if !ok {
			t.Fatal("no more lines")
		}
		return text
	}
	return line, func() (rest []string) {
		cancel()
		for text := range lines {
			rest = append(rest, text)
		}
		return rest
	}
}

func dial(t *testing.T, address string) (c net.Conn, slotLine string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	return c, line
}

func TestServe(t *testing.T) {
	line, end := serving(t)
	address := line()[len("15:04:05.000  listening    "):]
	first, slotLine := dial(t, address)
	equal(t, "slot line", slotLine, "0\r\n")
	inOrder(t, line()[len("15:04:05.000"):], "  given        "+first.LocalAddr().String(), "slot 0")
	second, slotLine := dial(t, address)
	equal(t, "slot line", slotLine, "1\r\n")
	line()
	first.Close()
	inOrder(t, line()[len("15:04:05.000"):], "  freed        "+first.LocalAddr().String(), "slot 0    after ", "s")
	rest := end()
	second.Close()
	inOrder(t, rest[0][len("15:04:05.000"):], "  freed        "+second.LocalAddr().String(), "slot 1")
	equal(t, "summary", strings.Join(rest[1:], "\n"), "\n2 slots given, at most 2 at once")
}

func TestServeJSON(t *testing.T) {
	line, end := serving(t, "--json")
	text := line()
	inOrder(t, text, `{"time":"`, `","event":"listening","host":"127.0.0.1","port":`)
	var at address
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		t.Fatal(err)
	}
	c, _ := dial(t, net.JoinHostPort(at.Host, strconv.Itoa(at.Port)))
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	inOrder(t, line(), `{"time":"`, `","event":"given","id":"`+c.LocalAddr().String()+`","host":"127.0.0.1","port":`+port+`,"slot":0}`)
	c.Close()
	inOrder(t, line(), `{"time":"`, `","event":"freed","id":"`+c.LocalAddr().String()+`","host":"127.0.0.1","port":`+port+`,"slot":0,"held_ms":`)
	rest := end()
	equal(t, "lines at the end", len(rest), 1)
	inOrder(t, rest[0], `{"time":"`, `","event":"summary","given":1,"most":1}`)
}

// A rover accepts a server's certificate by --tls-ca and the right name, or with
// --tls-insecure, and refuses it otherwise.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	line, end := serving(t, "--tls-cert", cert, "--tls-key", key)
	address := line()[len("15:04:05.000  listening    "):]
	for flags, want := range map[string]string{
		"--tls-ca " + cert: "kept",
		"--tls-ca " + cert + " --tls-server-name other.test": "certificate is not valid",
		"--tls --tls-insecure":                               "kept",
		"--tls":                                              "certificate signed by",
	} {
		args := append(strings.Fields(flags), "--server", address, "--keep-below", "9", "--interval", "1h")
		lines := call(t, func(text string) bool { return strings.Contains(text, "\n") }, append([]string{"rove"}, args...)...)
		if !strings.Contains(lines[0], want) {
			t.Errorf("%s: got %q, want %q", flags, lines[0], want)
		}
	}
	if text := strings.Join(end(), "\n"); !strings.Contains(text, "  error        slot line for 127.0.0.1:") {
		t.Errorf("no error of the server's in\n%s", text)
	}
}

func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rover"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, bytes []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", secret)
}
