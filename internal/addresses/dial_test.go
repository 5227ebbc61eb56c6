package addresses

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// resolver answers every A and AAAA question with these addresses, in this
// order. Without any it never answers.
func resolver(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if len(addresses) > 0 {
				_, _ = c.WriteTo(answer(b[:n], addresses), from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		conn, err := net.Dial("udp", c.LocalAddr().String())
		if err == nil {
			t.Cleanup(func() { conn.Close() }) // a lookup that was cut off goes on, in package net, until its socket ends
		}
		return conn, err
	}}
}

// answer is RFC 1035, section 4.
func answer(question []byte, addresses []string) []byte {
	end := 12 // of the question's name
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	kind := question[end+2]
	reply := append([]byte{question[0], question[1], 0x85, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end+5]...)
	for _, a := range addresses {
		ip := netip.MustParseAddr(a)
		if ip.Is4() != (kind == 1) {
			continue
		}
		reply[7]++
		reply = append(reply, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 1, 0, byte(len(ip.AsSlice())))
		reply = append(reply, ip.AsSlice()...)
	}
	return reply
}

// listen accepts at a port of these addresses, and holds what it accepted open.
func listen(t *testing.T, hosts ...string) (port int) {
	t.Helper()
	for _, host := range hosts {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(host), Port: port})
		if err != nil {
			t.Skip(err)
		}
		port = l.Addr().(*net.TCPAddr).Port
		done := make(chan struct{})
		t.Cleanup(func() { l.Close(); <-done })
		go func() {
			defer close(done)
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
			}
		}()
	}
	return port
}

// free is a port at which nobody listens.
func free(t *testing.T) int {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestEachAddressIsAServer(t *testing.T) {
	hosts := []string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}
	port := listen(t, hosts...)
	d := &net.Dialer{Resolver: resolver(t, hosts...)}
	met := map[string]int{}
	for range 60 { // one is missed once in 10^10
		conn, err := Dial(t.Context(), d, "tcp", "fleet.test.", port)
		if err != nil {
			t.Fatal(err)
		}
		met[conn.RemoteAddr().(*net.TCPAddr).IP.String()]++
		conn.Close()
	}
	if len(met) != 3 {
		t.Errorf("met %v, want three", met)
	}
}

func TestOneThatIsDownIsPassedOver(t *testing.T) {
	port := listen(t, "127.0.0.3")
	d := &net.Dialer{Resolver: resolver(t, "::1", "127.0.0.2", "127.0.0.3")}
	for range 8 {
		conn, err := Dial(t.Context(), d, "tcp", "fleet.test.", port)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
}

func TestEveryAddressIsInTheError(t *testing.T) {
	port := free(t)
	noIPv6 := errors.New("no IPv6")
	d := &net.Dialer{Resolver: resolver(t, "::1", "127.0.0.1"), Control: func(network, _ string, _ syscall.RawConn) error {
		if network == "tcp6" {
			return noIPv6
		}
		return nil
	}}
	_, err := Dial(t.Context(), d, "tcp", "both.test.", port)
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)).String()
	if !errors.Is(err, noIPv6) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("one is missing: %v", err)
	}
	if last := Last(err); last != at && last != strings.Replace(at, "127.0.0.1", "[::1]", 1) {
		t.Errorf("Last is %q", last)
	}
	if text := err.Error(); !strings.Contains(text, at+": connect: connection refused") || !strings.Contains(text, "; ") || strings.Contains(text, "\n") {
		t.Errorf("text: %s", text)
	}
	if timeout, ok := err.(net.Error); !ok || timeout.Timeout() {
		t.Errorf("a timeout: %v", err)
	}

	d.Resolver = resolver(t, "127.0.0.1")
	_, err = Dial(t.Context(), d, "tcp", "one.test.", port)
	if want, _ := errors.AsType[*net.OpError](err); err != want || Last(err) != at {
		t.Errorf("of one address it is net.Dialer's error itself: %#v", err)
	}
}

func TestFieldsOfTheDialer(t *testing.T) {
	port := listen(t, "127.0.0.1")
	var mu sync.Mutex
	var controlled []string
	d := &net.Dialer{
		Resolver:  resolver(t, "::1", "127.0.0.1"),
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)},
		Control: func(network, address string, _ syscall.RawConn) error {
			mu.Lock()
			defer mu.Unlock()
			controlled = append(controlled, network+" "+address)
			return nil
		},
	}
	conn, err := Dial(t.Context(), d, "tcp", "both.test.", port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if local := conn.LocalAddr().(*net.TCPAddr).IP.String(); local != "127.0.0.9" {
		t.Errorf("from %s", local)
	}
	if want := []string{"tcp4 " + conn.RemoteAddr().String()}; !slices.Equal(controlled, want) {
		t.Errorf("controlled %q, want %q", controlled, want)
	}
	for _, late := range []*net.Dialer{
		{Resolver: resolver(t), Timeout: time.Millisecond},
		{Resolver: resolver(t, "127.0.0.1"), Timeout: -1},
		{Resolver: resolver(t, "127.0.0.1"), Deadline: time.Now().Add(-time.Second)},
	} {
		_, err := Dial(t.Context(), late, "tcp", "late.test.", port)
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
			t.Errorf("no timeout: %v", err)
		}
	}
}

func TestCancelEndsTheLookup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent := resolver(t)
	inner := silent.Dial
	silent.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		cancel()
		return inner(ctx, network, address)
	}
	_, err := Dial(ctx, &net.Dialer{Resolver: silent}, "tcp", "silent.test.", 80)
	if !errors.Is(err, context.Canceled) || Last(err) != "" {
		t.Errorf("%v, last %q", err, Last(err))
	}
}

// It is the address that was not dialed in time that the error names.
func TestTooLateForAny(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Dial(ctx, &net.Dialer{}, "tcp", "127.0.0.1", 80)
	if !errors.Is(err, context.Canceled) || Last(err) != "127.0.0.1:80" {
		t.Errorf("%v, last %q", err, Last(err))
	}
}

func TestTheEarliestLimitHolds(t *testing.T) {
	now := time.Now()
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		ctx  time.Duration // 0: none
		d    net.Dialer
		want time.Duration
	}{
		{3, net.Dialer{Timeout: 4 * time.Hour}, 3},
		{3, net.Dialer{Deadline: in(4 * time.Hour)}, 3},
		{3, net.Dialer{Timeout: 2 * time.Hour, Deadline: in(time.Hour)}, 1},
		{3, net.Dialer{Timeout: time.Hour, Deadline: in(2 * time.Hour)}, 1},
		{0, net.Dialer{Timeout: -time.Hour}, -1},
		{3, net.Dialer{}, 3},
		{0, net.Dialer{}, 0},
	} {
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if c.ctx != 0 {
			ctx, cancel = context.WithDeadline(ctx, in(c.ctx*time.Hour))
		}
		got, stop := limited(ctx, &c.d, now)
		if end, ok := got.Deadline(); ok != (c.want != 0) || ok && !end.Equal(in(c.want*time.Hour)) {
			t.Errorf("%d h, %+v: ends at %v, want in %d h", c.ctx, c.d, end, c.want)
		}
		stop()
		cancel()
	}
	for set, want := range map[time.Duration]time.Duration{0: 300 * time.Millisecond, 7: 7, -1: -1} {
		if got := fallbackDelay(&net.Dialer{FallbackDelay: set}); got != want {
			t.Errorf("FallbackDelay %v is %v", set, got)
		}
	}
}

func TestLiterals(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		port := listen(t, host)
		conn, err := Dial(t.Context(), &net.Dialer{}, "tcp", host, port)
		if err != nil {
			t.Error(host, err)
			continue
		}
		conn.Close()
	}
}

func TestWhichAddressesInWhichOrder(t *testing.T) {
	all := []string{"1.1.1.1", "1.1.1.2", "::1", "::2", "fe80::3%eth0", "1.1.1.3"}
	for about, c := range map[string]struct {
		set  func(*name)
		want []string
	}{
		"runs are mixed": {func(*name) {}, []string{"1.1.1.2:80", "1.1.1.1:80", "[fe80::3%eth0]:80", "[::2]:80", "[::1]:80", "1.1.1.3:80"}},
		"tcp4":           {func(n *name) { n.network = "tcp4" }, []string{"1.1.1.3:80", "1.1.1.2:80", "1.1.1.1:80"}},
		"tcp6":           {func(n *name) { n.network = "tcp6" }, []string{"[fe80::3%eth0]:80", "[::2]:80", "[::1]:80"}},
		"from IPv4":      {func(n *name) { n.local = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }, []string{"1.1.1.3:80", "1.1.1.2:80", "1.1.1.1:80"}},
		"from IPv6":      {func(n *name) { n.local = &net.TCPAddr{IP: net.IPv6loopback} }, []string{"[fe80::3%eth0]:80", "[::2]:80", "[::1]:80"}},
		"from any":       {func(n *name) { n.network, n.local = "tcp4", &net.TCPAddr{IP: net.IPv6unspecified, Port: 7} }, []string{"1.1.1.3:80", "1.1.1.2:80", "1.1.1.1:80"}},
		"from nil":       {func(n *name) { n.network, n.local = "tcp4", (*net.TCPAddr)(nil) }, []string{"1.1.1.3:80", "1.1.1.2:80", "1.1.1.1:80"}},
	} {
		n := new(world).named(all...)
		n.shuffle = func(n int, swap func(i, j int)) {
			for i := range n / 2 {
				swap(i, n-1-i)
			}
		}
		c.set(n)
		found, err := n.find(t.Context(), "a", 80)
		if err != nil {
			t.Error(about, err)
		}
		var got []string
		for _, addr := range found {
			got = append(got, addr.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", about, got, c.want)
		}
	}
	n := new(world).named("::1")
	n.network = "tcp4"
	if _, err := n.connect(t.Context(), "a", 80); err == nil || !strings.Contains(err.Error(), "no suitable address") {
		t.Error(err)
	}
	n.network = "udp"
	if _, err := n.connect(t.Context(), "a", 80); !errors.Is(err, net.UnknownNetworkError("udp")) {
		t.Error(err)
	}
}
