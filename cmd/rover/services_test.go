package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/relay"
)

// echo is a server that knows nothing of slots, on loopback or a Unix socket.
func echo(t *testing.T, address string) string {
	t.Helper()
	l, err := relay.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	t.Cleanup(func() { l.Close() })
	if l.Addr().Network() == "unix" {
		return address
	}
	return l.Addr().String()
}

// asks sends a line to who listens at address, and wants it back.
func asks(t *testing.T, address string) {
	t.Helper()
	network, address := relay.SplitAddress(address)
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, "hello\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

// Front and proxy bring a client and a server together that know nothing of slots,
// over TCP, Unix sockets and TLS with certificates of both, and say so at the end.
func TestFrontAndProxy(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t)
	for _, c := range []struct{ backend, mode, proxy, front, client string }{
		{backend: "127.0.0.1:0", mode: "eager", proxy: "127.0.0.1:0"},
		{backend: "unix:" + dir + "/backend", mode: "lazy", proxy: "unix:" + dir + "/proxy"},
		{backend: "127.0.0.1:0", mode: "lazy", proxy: "127.0.0.1:0",
			front:  "--tls-cert " + cert + " --tls-key " + key + " --tls-client-ca " + cert,
			client: "--tls-ca " + cert + " --tls-cert " + cert + " --tls-key " + key},
	} {
		backend := echo(t, c.backend)
		front, stopFront := background(t, append([]string{"front", "--listen", "127.0.0.1:0", "--backend", backend, "--mode", c.mode,
			"--drain", "1s", "--each"}, strings.Fields(c.front)...)...)
		proxy, stopProxy := background(t, append([]string{"proxy", "--listen", c.proxy, "--server", "a=" + front, "--drain", "1s", "--each"},
			strings.Fields(c.client)...)...)
		if strings.HasPrefix(c.proxy, "unix:") {
			proxy = c.proxy
		}
		for range 5 {
			asks(t, proxy)
		}
		for side, stop := range map[string]func() []string{"proxy": stopProxy, "front": stopFront} {
			text := strings.Join(stop(), "\n")
			if strings.Count(text, "6 B sent, 6 B got") < 5 || !strings.Contains(text, "30 B sent, 30 B got; ") {
				t.Errorf("%s: got\n%s", side, text)
			}
		}
	}
}

// A certificate is read again when its files change, also by renaming; one that is
// no good leaves the former.
func TestCertificatesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	put := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(to+".new", to); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	oldCert, oldKey := certificate(t)
	newCert, newKey := certificate(t)
	put(oldCert, cert)
	put(oldKey, key)
	wrong := make(chan error, 10)
	pair, err := watchPair(cert, key, func(err error) { wrong <- err })
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string { return string(pair.get().Certificate[0]) }
	later := func() { pair.looked = time.Time{} }
	first := serial()
	put(newCert, cert) // without its key
	later()
	equal(t, "still the former", serial(), first)
	if err := <-wrong; !strings.Contains(err.Error(), "the former certificate stays") {
		t.Error(err)
	}
	put(newKey, key)
	equal(t, "not looked at again at once", serial(), first)
	later()
	if serial() == first {
		t.Error("it is not read again")
	}
	second := serial()
	os.Remove(cert)
	later()
	equal(t, "removed: still the former", serial(), second)
	equal(t, "errors", len(wrong), 0)

	trusted, err := watchCA(oldCert, func(err error) { wrong <- err })
	if err != nil {
		t.Fatal(err)
	}
	before := trusted.get()
	put(newCert, oldCert)
	trusted.looked = time.Time{}
	if now := trusted.get(); now == before || now.Equal(x509.NewCertPool()) {
		t.Error("the CA is not read again")
	}
}

// The front serves with the new certificate, and asks for clients of the new CA.
func TestFrontServesTheNewCertificate(t *testing.T) {
	cert, key := certificate(t)
	front, stop := background(t, "front", "--listen", "127.0.0.1:0", "--backend", echo(t, "127.0.0.1:0"), "--tls-cert", cert, "--tls-key", key, "--drain", "1s")
	serves := func() []byte {
		c, err := tls.Dial("tcp", front, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return nil
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Raw
	}
	first := serves()
	newCert, newKey := certificate(t)
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	end := time.After(20 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if now := serves(); now != nil && !bytes.Equal(now, first) {
				stop()
				return
			}
		case <-end:
			t.Fatal("the former certificate is served for 20 s")
		}
	}
}

// A proxy without a server gives clients a reset, and says why at the end.
func TestProxyWithoutAServer(t *testing.T) {
	proxy, stop := background(t, "proxy", "--listen", "127.0.0.1:0", "--server", "a=127.0.0.1:1", "--wait", "200ms")
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v, want a reset", err)
	}
	text := strings.Join(stop(), "\n")
	if !strings.Contains(text, "clients get a reset: no server") || !strings.Contains(text, "1 refused: 1 no server") {
		t.Errorf("got\n%s", text)
	}
}

// Servers come from a file too.
func TestServersFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "servers.json")
	if err := os.WriteFile(file, []byte(`{"b": "127.0.0.1:2", "a": "[::1]:1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := readServers(file)
	if err != nil || len(list) != 2 || list[0].String() != "a=[::1]:1" || list[1].String() != "b=127.0.0.1:2" {
		t.Errorf("got %v, %v", list, err)
	}
	lines := call(t, has("unreachable"), "rove", "--servers", file, "--server", "c=127.0.0.1:3", "--interval", "1ms", "--json")
	servers := objects(t, lines)
	equal(t, "servers", len(servers[len(servers)-1]["servers"].([]any)), 3)
	for text, want := range map[string]string{
		`{"a": "h"}`: "must be host:port", `{"": "h:1"}`: "an id is empty", `[]`: `want {"id": "host:port"}`,
	} {
		os.WriteFile(file, []byte(text), 0o600)
		if _, err := readServers(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestServersWithCommas(t *testing.T) {
	var list serverList
	if err := list.add("a=127.0.0.1:1,b=[::1]:2,h:3"); err != nil {
		t.Fatal(err)
	}
	if got := list.set(); len(got) != 3 || got["b"].Port != 2 || got["h:3"].Host != "h" {
		t.Errorf("got %v", got)
	}
}

func TestClosest(t *testing.T) {
	for name, want := range map[string]string{"sever": "server", "servres": "server", "jsno": "json", "x": "", "interval": "interval", "elephant": ""} {
		equal(t, name, closest(name, []string{"server", "json", "interval", "h"}), want)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 9999: "9999 B", 10_000: "10 kB", 12_345_678: "12 MB", 5e15: "5000 TB"} {
		equal(t, "size", size(n), want)
	}
}

// Slot lines are as the weight says.
func TestFrontWeight(t *testing.T) {
	front, stop := background(t, "front", "--listen", "127.0.0.1:0", "--backend", echo(t, "127.0.0.1:0"), "--weight", "0.5", "--drain", "1s")
	for _, want := range []string{"1\r\n", "3\r\n", "5\r\n"} {
		c, line := dial(t, front)
		defer c.Close()
		equal(t, "slot line", line, want)
	}
	stop()
}
