package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"syscall"
	"testing"
)

// dialing is a failed dial of address as package net has it.
func dialing(address, call string, cause error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(addrPort(address)), Err: os.NewSyscallError(call, cause)}
}

// onIPv4 is a host without IPv6.
func onIPv4(addr net.Addr) bool { return addr.(*net.TCPAddr).IP.To4() != nil }

const (
	v4 = "127.0.0.1:80"
	v6 = "[::1]:80"
)

func TestWhoseFault(t *testing.T) {
	refused := dialing(v4, "connect", syscall.ECONNREFUSED)
	noPort := dialing(v4, "connect", syscall.EADDRNOTAVAIL)
	noIPv6 := dialing(v6, "connect", syscall.EADDRNOTAVAIL)
	noFile := dialing(v4, "socket", syscall.EMFILE)
	broken := errors.New("dialer: no connection")
	proxy := func(op string, cause error) error { return &net.OpError{Op: op, Net: "tcp", Err: cause} }
	for name, c := range map[string]struct {
		err  error
		want fault
	}{
		"none":      {nil, nobodys},
		"a limit":   {noFile, ours},
		"no port":   {noPort, ours},
		"firewall":  {dialing(v4, "connect", syscall.EPERM), ours},
		"LocalAddr": {dialing(v6, "bind", syscall.EADDRNOTAVAIL), ours},
		"bare":      {syscall.ENOMEM, ours},
		"wrapped":   {fmt.Errorf("mine: %w", noFile), ours},

		"refused":      {refused, theirs},
		"no route":     {dialing(v4, "connect", syscall.ENETUNREACH), theirs},
		"end":          {io.EOF, theirs},
		"cut":          {io.ErrUnexpectedEOF, theirs},
		"late":         {context.DeadlineExceeded, theirs},
		"unknown":      {broken, theirs},
		"wraps none":   {&net.OpError{Op: "dial"}, nobodys},
		"no such host": {&net.DNSError{Err: "no such host", Name: "a", IsNotFound: true}, theirs},
		"lookup":       {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "dial udp: socket: " + syscall.EMFILE.Error(), Name: "a"}}, ours},

		"both ours":             {errors.Join(noFile, noPort), ours},
		"one refused":           {errors.Join(noFile, refused), theirs},
		"one refused, first":    {errors.Join(refused, noFile), theirs},
		"one unknown":           {errors.Join(broken, noFile), theirs},
		"deep":                  {fmt.Errorf("x: %w", errors.Join(noFile, fmt.Errorf("y: %w", errors.Join(noPort, refused)))), theirs},
		"a name and its cause":  {fmt.Errorf("%w: %w", broken, noFile), ours},
		"sentence of two":       {fmt.Errorf("%w; %w", noFile, refused), theirs},
		"sentence with an end":  {fmt.Errorf("%w; %w", noFile, io.EOF), theirs},
		"name, cause not local": {fmt.Errorf("%w: %w", broken, refused), theirs},

		"no IPv6":                 {noIPv6, nobodys},
		"no IPv6, refused":        {errors.Join(noIPv6, refused), theirs},
		"no IPv6, a limit":        {errors.Join(noIPv6, noFile), ours},
		"no IPv6 route, a limit":  {errors.Join(dialing(v6, "connect", syscall.ENETUNREACH), noFile), ours},
		"no IPv6 socket, a limit": {errors.Join(dialing(v6, "socket", syscall.EAFNOSUPPORT), noFile), ours},
		"no route, a limit":       {errors.Join(dialing(v4, "connect", syscall.ENETUNREACH), noFile), theirs},

		"proxy down":            {proxy("proxyconnect", refused), ours},
		"SOCKS down":            {proxy("socks connect", refused), ours},
		"SOCKS without a name":  {proxy("socks connect", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}), ours},
		"SOCKS: far end":        {proxy("socks connect", errors.New("unknown error connection refused")), theirs},
		"SOCKS: reset":          {proxy("socks connect", &net.OpError{Op: "read", Err: syscall.ECONNRESET}), theirs},
		"SOCKS down, a limit":   {errors.Join(proxy("socks connect", refused), noFile), ours},
		"SOCKS down, a refusal": {errors.Join(proxy("socks connect", refused), refused), theirs},
	} {
		if got := (judge{here, onIPv4}).whose(c.err, nil); got != c.want {
			t.Errorf("%s: %v: got %d, want %d", name, c.err, got, c.want)
		}
		if c.want == theirs && IsLocal(c.err) {
			t.Errorf("%s: IsLocal(%v)", name, c.err)
		}
	}
}

func TestWhetherAFamilyIsInUse(t *testing.T) {
	if !canReach(net.TCPAddrFromAddrPort(addrPort("127.0.0.1:9"))) {
		t.Error("127.0.0.1 can be reached")
	}
	if !canReach(name80{}) {
		t.Error("a name is not looked up")
	}
	if !IsLocal(dialing(v4, "connect", syscall.EADDRNOTAVAIL)) {
		t.Error("no port is left: ours")
	}
}

type name80 struct{}

func (name80) Network() string { return "tcp" }
func (name80) String() string  { return "name.invalid:80" }

// What net/http says of proxies, of which x/net/proxy has the same SOCKS.
func TestProxiesAsNetHTTPReportsThem(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	_, down, _ := net.SplitHostPort(closed.Listener.Addr().String())
	socks := answering(t, "\x05\x00", "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00") // host unreachable
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer gateway.Close()
	for proxy, local := range map[string]bool{
		"http://127.0.0.1:" + down:   true,
		"socks5://127.0.0.1:" + down: true,
		"socks5://" + socks:          false,
		gateway.URL:                  false,
	} {
		at, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{Proxy: http.ProxyURL(at)}
		_, err = (&http.Client{Transport: transport}).Get("https://server.invalid/")
		if err == nil || IsLocal(err) != local {
			t.Errorf("%s: %v: local %v, want %v", proxy, err, !local, local)
		}
		transport.CloseIdleConnections()
	}
}

// answering is a server that answers what it reads with these, one by one.
func answering(t *testing.T, answers ...string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for _, answer := range answers {
			if _, err := conn.Read(make([]byte, 512)); err != nil {
				return
			}
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func TestIsGone(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.ECONNRESET:   true,
		syscall.EPIPE:        true,
		syscall.ECONNABORTED: true,
		syscall.ETIMEDOUT:    true,
		net.ErrClosed:        true,
		io.ErrClosedPipe:     true,

		io.EOF:                   false,
		os.ErrDeadlineExceeded:   false,
		syscall.EAGAIN:           false,
		context.DeadlineExceeded: false,
	} {
		if got := IsGone(&net.OpError{Op: "read", Err: err}); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
	if IsGone(nil) {
		t.Error("nil")
	}
}
