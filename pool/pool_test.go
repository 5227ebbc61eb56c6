package pool_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
)

func TestOptionsThatAreWrong(t *testing.T) {
	for want, opt := range map[string]pool.Option{
		"pool: max must be at least 1, got 0": pool.WithMax(0),
		"pool: logger must not be nil":        pool.WithLogger(nil),
	} {
		p, err := pool.New(opt)
		if p != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, %v, want the error %q", p, err, want)
		}
	}
}

func TestStrictlyLowerReplacesTheWorst(t *testing.T) {
	p := newPool(t, 2)
	next := watch(t, p)
	first := keep(t, p, 5, pipe)
	keep(t, p, 3, pipe)
	for _, slot := range []int{5, 6} {
		if server, kept := offer(t, p, slot, pipe); kept {
			t.Fatalf("slot %d was kept over 3 and 5", slot)
		} else {
			isClosed(t, server)
		}
	}
	keep(t, p, 4, pipe)
	isClosed(t, first)
	expect(t, next, pool.Kept, pool.Kept, pool.Replaced)
	s := p.Stats()
	kit.Equal(t, "lowest", s.Lowest, 3)
	kit.Equal(t, "highest", s.Highest, 4)
	kit.Equal(t, "kept", s.Kept, 2)
	kit.Equal(t, "of the server", s.Servers[somewhere], 2)
}

func TestLentAndReplacedClosesWhenItComesBack(t *testing.T) {
	for name, giveBack := range map[string]func(*pool.Conn){
		"release": (*pool.Conn).Release,
		"close":   func(c *pool.Conn) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			old := keep(t, p, 1, tcp)
			c := get(t, p)
			signal := c.Replaced()
			keep(t, p, 0, tcp)
			<-signal
			<-c.Replaced()
			kit.Equal(t, "leaving", p.Stats().Leaving, 1)
			kit.Check(t, say(c, "still good"))
			kit.Equal(t, "heard", hear(t, old, 10), "still good")
			giveBack(c)
			isClosed(t, old)
			s := p.Stats()
			kit.Equal(t, "leaving", s.Leaving, 0)
			kit.Equal(t, "kept", s.Kept, 1)
			if _, kept := offer(t, p, 0, tcp); kept {
				t.Fatal("what came back freed a place a second time")
			}
		})
	}
}

func TestNothingIsReplacedForAnOfferThatIsGone(t *testing.T) {
	p := newPool(t, 1)
	keep(t, p, 1, pipe)
	client, _ := pipe(t)
	c := rover.NewConnection("a", somewhere, 0, client)
	kit.Must(c.Keep())(t) // somebody else
	kit.Equal(t, "kept", p.Offer(c), false)
	kit.Equal(t, "slot", p.Stats().Highest, 1)
}

func TestClosedBeforeItWasOffered(t *testing.T) {
	for name, w := range map[string]wire{"tcp": tcp, "pipe": pipe} {
		for _, side := range []string{"ours", "theirs", "theirs, behind some bytes"} {
			if name == "pipe" && strings.Contains(side, "bytes") {
				continue // a pipe holds none
			}
			t.Run(name+" "+side, func(t *testing.T) {
				p := newPool(t, 1)
				client, server := w(t)
				switch side {
				case "ours":
					client.Close()
				case "theirs":
					server.Close()
					if name == "tcp" {
						awaitEnd(t, client)
					}
				default:
					kit.Check(t, server.(*net.TCPConn).SetLinger(-1))
					kit.Check(t, say(server, "bye"))
					server.Close()
					awaitEnd(t, client)
				}
				kit.Equal(t, "kept", p.Offer(rover.NewConnection("a", somewhere, 0, client)), false)
				kit.Equal(t, "declined", p.Stats().Declined, 1)
			})
		}
	}
}

func TestTheOtherSideClosesAnIdleOne(t *testing.T) {
	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			next := watch(t, p)
			keep(t, p, 0, w).Close()
			expect(t, next, pool.Kept, pool.Lost)
			if _, ok := p.TryGet(); ok {
				t.Fatal("a dead connection was lent")
			}
			keep(t, p, 9, w)
			kit.Equal(t, "lost", p.Stats().Lost, 1)
		})
	}
}

func TestTheOtherSideClosesOneThatHasBeenLent(t *testing.T) {
	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			next := watch(t, p)
			server := keep(t, p, 0, w)
			c := get(t, p)
			c.Release()
			c = get(t, p)
			server.Close()
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Fatal("read something")
			}
			expect(t, next, pool.Kept, pool.Lent, pool.Released, pool.Lent, pool.Lost)
			keep(t, p, 9, w) // there is room at once
			c.Release()
			kit.Equal(t, "slot lent", get(t, p).Slot(), 9)
			kit.Equal(t, "leaving", p.Stats().Leaving, 0)
		})
	}
}

func TestBytesSentToAnIdleOneAreNotLost(t *testing.T) {
	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			server := keep(t, p, 0, w)
			var sending sync.WaitGroup
			for _, word := range []string{"hello, ", "you ", "there"} {
				sending.Go(func() { say(server, word) })
				sending.Wait() // a pipe's write returns when it is read: nobody has borrowed it yet
			}
			c := get(t, p)
			kit.Equal(t, "heard", hear(t, c, 16), "hello, you there")
			c.Release()
			c = get(t, p)
			sending.Go(func() { say(server, "again") })
			kit.Equal(t, "heard", hear(t, c, 5), "again")
			sending.Wait()
		})
	}
}

// A borrower's deadlines work, whoever reads ahead, and are gone with the loan.
func TestDeadlines(t *testing.T) {
	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, 1)
			server := keep(t, p, 0, w)
			c := get(t, p)
			kit.Check(t, c.SetReadDeadline(time.Unix(1, 0)))
			for range 2 {
				var timeout net.Error
				if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Fatalf("got %v, want a timeout", err)
				}
			}
			c.Release()
			c = get(t, p)
			var sending sync.WaitGroup
			sending.Go(func() { say(server, "late") })
			kit.Equal(t, "heard", hear(t, c, 4), "late")
			sending.Wait()
			kit.Equal(t, "lost", p.Stats().Lost, 0)
		})
	}
}

// A deadline that passes while nobody reads is not told to who reads later.
func TestDeadlinePutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		server := keep(t, p, 0, pipe)
		c := get(t, p)
		kit.Check(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		time.Sleep(2 * time.Second)
		kit.Check(t, c.SetReadDeadline(time.Time{}))
		go say(server, "hi")
		kit.Equal(t, "heard", hear(t, c, 2), "hi")
	})
}

// Reading ahead ends with the borrower's first Read, which is not to pay for
// it any longer.
func TestABorrowerReadsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, 1)
		server := keep(t, p, 0, pipe)
		c := get(t, p)
		go readOne(c)
		synctest.Wait() // for the borrower to wait
		kit.Check(t, say(server, "x"))
		sent := false
		go func() {
			say(server, "y")
			sent = true
		}()
		synctest.Wait()
		kit.Equal(t, "sent before anybody reads", sent, false)
		kit.Equal(t, "heard", hear(t, c, 1), "y")
	})
}

func say(c net.Conn, words string) error {
	_, err := c.Write([]byte(words))
	return err
}

func hear(t testing.TB, c net.Conn, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// awaitEnd waits until the system has seen the other side's end, and takes no
// byte.
func awaitEnd(t testing.TB, client net.Conn) {
	t.Helper()
	p := newPool(t, 1)
	next := watch(t, p)
	if !p.Offer(rover.NewConnection("a", somewhere, 0, unclosable{client.(*net.TCPConn)})) {
		return
	}
	expect(t, next, pool.Kept, pool.Lost)
}

// unclosable outlives the pool it is in.
type unclosable struct{ *net.TCPConn }

func (unclosable) Close() error            { return nil }
func (unclosable) SetLinger(sec int) error { return nil }

func TestClose(t *testing.T) {
	p := newPool(t, 3)
	idle, lent := keep(t, p, 0, tcp), keep(t, p, 1, tcp)
	a, b := get(t, p), get(t, p)
	if a.Slot() == 0 {
		a, b = b, a
	}
	b.Release()
	next := watch(t, p)
	signal := a.Replaced()
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(p.Close)
	}
	closing.Wait()
	<-signal
	isClosed(t, idle)
	_, err := p.Get(context.Background())
	kit.Equal(t, "error", err, pool.ErrClosed)
	_, err = p.DialContext(context.Background(), "tcp", "ignored:1")
	kit.Equal(t, "error", err, pool.ErrClosed)
	if _, kept := offer(t, p, 0, tcp); kept {
		t.Fatal("kept by a closed pool")
	}
	kit.Check(t, say(a, "x"))
	kit.Equal(t, "heard", hear(t, lent, 1), "x")
	a.Release()
	isClosed(t, lent)
	expect(t, next, pool.Closed, pool.Closed)
	s := p.Stats()
	kit.Equal(t, "in the pool or leaving", s.Kept+s.Leaving, 0)
	kit.Equal(t, "lowest", s.Lowest, -1)
}
