package addresses

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a name without a network: what each of its addresses does when it
// is dialed. One without a deed refuses.
type world struct {
	deeds map[string]func(ctx context.Context) (net.Conn, error) // by address without port
	begun time.Time

	mu     sync.Mutex
	dialed []string // "address at when"
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address+" at "+time.Since(w.begun).String())
	w.mu.Unlock()
	addr := &net.TCPAddr{}
	host, _, _ := net.SplitHostPort(address)
	addr.IP, addr.Port = net.ParseIP(host), 80
	deed := w.deeds[host]
	if deed == nil {
		deed = func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	}
	conn, err := deed(ctx)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
	}
	return conn, nil
}

// hangs is a server that drops what it gets.
func hangs(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	if ctx.Err() == context.DeadlineExceeded {
		return nil, os.ErrDeadlineExceeded
	}
	return nil, ctx.Err()
}

func late(context.Context) (net.Conn, error) { return nil, syscall.ETIMEDOUT }

func connects(conn net.Conn) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) { return conn, nil }
}

// named gives a name these addresses, which are not shuffled.
func (w *world) named(addresses ...string) *name {
	w.begun = time.Now()
	return &name{
		lookup: func(context.Context, string) (found []net.IPAddr, err error) {
			for _, a := range addresses {
				host, zone, _ := strings.Cut(a, "%")
				found = append(found, net.IPAddr{IP: net.ParseIP(host), Zone: zone})
			}
			return found, nil
		},
		dial:    w.dial,
		shuffle: func(int, func(i, j int)) {},
		network: "tcp",
		delay:   300 * time.Millisecond,
	}
}

type closing struct {
	net.Conn
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func (w *world) want(t *testing.T, dialed ...string) {
	t.Helper()
	if !slices.Equal(w.dialed, dialed) {
		t.Errorf("dialed %q, want %q", w.dialed, dialed)
	}
}

func TestOtherFamilyJoinsAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &closing{}
		w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"::1": hangs, "1.1.1.1": connects(conn)}}
		got, err := w.named("::1", "1.1.1.1", "::2").connect(t.Context(), "a", 80)
		if got != conn || err != nil || conn.closed != 0 {
			t.Error(got, err, conn.closed)
		}
		w.want(t, "[::1]:80 at 0s", "1.1.1.1:80 at 300ms")
	})
}

func TestOtherFamilyJoinsAtAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &closing{}
		w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"1.1.1.1": connects(conn)}}
		if got, err := w.named("::1", "1.1.1.1", "::2").connect(t.Context(), "a", 80); got != conn || err != nil {
			t.Error(got, err)
		}
		w.want(t, "[::1]:80 at 0s", "[::2]:80 at 0s", "1.1.1.1:80 at 0s")
	})
}

func TestWithoutARace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"::1": hangs}}
		n := w.named("::1", "1.1.1.1")
		n.delay = -1
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := n.connect(ctx, "a", 80); Last(err) != "1.1.1.1:80" {
			t.Error(err, Last(err))
		}
		w.want(t, "[::1]:80 at 0s", "1.1.1.1:80 at 5s")
	})
}

// A loser whose connect was through before it heard of the end.
func TestTheLoserIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		winner, loser := &closing{}, &closing{}
		w := &world{deeds: map[string]func(context.Context) (net.Conn, error){
			"::1":     func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return loser, nil },
			"1.1.1.1": connects(winner),
		}}
		got, err := w.named("::1", "1.1.1.1").connect(t.Context(), "a", 80)
		if got != winner || err != nil || winner.closed != 0 || loser.closed != 1 {
			t.Error(got, err, winner.closed, loser.closed)
		}
	})
}

func TestTheTimeIsShared(t *testing.T) {
	for limit, want := range map[time.Duration][]string{
		9 * time.Second: {"1.1.1.1:80 at 0s", "1.1.1.2:80 at 3s", "1.1.1.3:80 at 6s"},
		3 * time.Second: {"1.1.1.1:80 at 0s", "1.1.1.2:80 at 2s"}, // 2 s at the least
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"1.1.1.1": hangs, "1.1.1.2": hangs, "1.1.1.3": hangs}}
			n := w.named("1.1.1.1", "1.1.1.2", "1.1.1.3")
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			_, err := n.connect(ctx, "a", 80)
			if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
				t.Errorf("no timeout: %v", err)
			}
			if took := time.Since(w.begun); took != limit {
				t.Errorf("took %v of %v", took, limit)
			}
			w.want(t, want...)
		})
	}
}

func TestTimeoutMeansTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"1.1.1.1": hangs, "1.1.1.3": late, "1.1.1.4": late}}
		_, err := w.named("1.1.1.1", "1.1.1.2").connect(ctx, "a", 80) // 5 s, then a refusal
		if timeout, ok := err.(net.Error); !ok || timeout.Timeout() || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("there was time left: %v", err)
		}
		_, err = w.named("1.1.1.2", "1.1.1.1").connect(ctx, "a", 80)
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("there was no time left: %v", err)
		}
		// Each by the kernel's clock.
		_, err = w.named("1.1.1.3", "1.1.1.4").connect(t.Context(), "a", 80)
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("both timed out: %v", err)
		}
		// What a resolver's own dialer may call a timeout.
		n := w.named()
		n.lookup = func(context.Context, string) ([]net.IPAddr, error) { return nil, errors.New("odd") }
		_, err = n.connect(ctx, "a", 80)
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("there was no time left: %v", err)
		}
	})
}

func TestCancelEndsTheRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"::1": hangs, "1.1.1.1": hangs}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := w.named("::1", "::2", "1.1.1.1", "1.1.1.2").connect(ctx, "a", 80)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		w.want(t, "[::1]:80 at 0s", "1.1.1.1:80 at 300ms")
	})
}

// A Control function that panics does so to who dials, who can recover.
func TestPanicsAndGoexitReachTheCaller(t *testing.T) {
	for name, c := range map[string]struct {
		deed  func(context.Context) (net.Conn, error)
		value any
	}{
		"panic":            {func(context.Context) (net.Conn, error) { panic("mine") }, "mine"},
		"panic of a loser": {func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); panic("late") }, "late"},
		"Goexit":           {func(context.Context) (net.Conn, error) { runtime.Goexit(); return nil, nil }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			winner := &closing{}
			w := &world{deeds: map[string]func(context.Context) (net.Conn, error){"::1": c.deed, "1.1.1.1": connects(winner)}}
			var value any
			returned := false
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { value = recover() }()
				_, _ = w.named("::1", "1.1.1.1").connect(t.Context(), "a", 80)
				returned = true
			}()
			<-done
			if value != c.value || returned {
				t.Errorf("%s: recovered %v, want %v; returned %v", name, value, c.value, returned)
			}
			if name == "panic of a loser" && winner.closed != 1 {
				t.Errorf("%s: the winner's socket is nobody's, and open", name)
			}
		})
	}
}
