package offer

import (
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is a socket that counts how often it is closed.
type counted struct {
	net.Conn
	mu     sync.Mutex
	closed int
}

func (c *counted) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed++
	return nil
}

type owner struct{ fates []Fate }

func (o *owner) Ended(fate Fate) { o.fates = append(o.fates, fate) }

func made() (*Offer, *counted, *owner) {
	o, conn, owner := &Offer{}, &counted{}, &owner{}
	o.Init(conn, owner)
	return o, conn, owner
}

// How an offer ends once all who had it have left it: in the first of the ways
// that stand before.
func TestAnOfferEndsWithItsLastHolder(t *testing.T) {
	for _, test := range []struct {
		leave []Fate
		want  Fate
	}{
		{[]Fate{Declined, Declined}, Declined},
		{[]Fate{Left, Declined}, Declined},
		{[]Fate{Declined, Overflowed}, Declined},
		{[]Fate{Overflowed, Left}, Overflowed},
		{[]Fate{Left, Overflowed}, Overflowed},
		{[]Fate{Left, Left}, Left},
		{[]Fate{Open, Open}, Open},
		{[]Fate{Open, Left}, Left},
		{[]Fate{Left, Open}, Left},
	} {
		o, conn, owner := made()
		for range test.leave {
			o.Hold()
		}
		for _, why := range test.leave {
			o.Leave(why)
		}
		if o.Fate() != Open || conn.closed != 0 {
			t.Fatal("over before its maker let go")
		}
		if untouched := test.want == Open; o.Untouched() != untouched {
			t.Errorf("%v: untouched is not %v", test.leave, untouched)
		}
		o.Leave(Open)
		closed := 1
		if test.want == Open {
			closed = 0
		}
		if o.Fate() != test.want || conn.closed != closed || len(owner.fates) != closed {
			t.Errorf("%v: %v, closed %d times, its owner heard %v", test.leave, o.Fate(), conn.closed, owner.fates)
		}
		if closed == 1 {
			if _, kept := o.Keep(); kept || o.End(Expired) || conn.closed != 1 || len(owner.fates) != 1 {
				t.Errorf("%v: it ended twice", test.leave)
			}
		}
	}
}

func TestAnOfferNobodySawStaysOpen(t *testing.T) {
	o, conn, _ := made()
	o.Leave(Open)
	o.Hold()
	if o.Fate() != Open || conn.closed != 0 {
		t.Fatal("over, and nobody left it")
	}
	o.Leave(Declined)
	if o.Fate() != Declined || conn.closed != 1 {
		t.Error("the only one who saw it said no, and it is", o.Fate())
	}
}

func TestAnUndecidedHolderKeepsItOpen(t *testing.T) {
	o, conn, _ := made()
	o.Hold()
	o.Hold()
	o.Leave(Open)
	o.Leave(Declined)
	if o.Fate() != Open || conn.closed != 0 || o.Untouched() {
		t.Error(o.Fate(), conn.closed, o.Untouched())
	}
	if !o.End(Expired) || conn.closed != 1 {
		t.Error("an expired socket is not closed")
	}
}

func TestAKeptSocketIsNotClosed(t *testing.T) {
	o, conn, owner := made()
	o.Hold()
	if got, ok := o.Keep(); !ok || got != conn || conn.closed != 0 {
		t.Error(o.Fate(), conn.closed)
	}
	o.Leave(Declined)
	o.Leave(Declined)
	if o.Fate() != Kept || conn.closed != 0 || len(owner.fates) != 1 {
		t.Error(o.Fate(), conn.closed, owner.fates)
	}
}

// What is over is not held in memory by those who still have the offer.
func TestAnOfferForgetsItsSocket(t *testing.T) {
	for _, end := range []func(*Offer){func(o *Offer) { o.Keep() }, func(o *Offer) { o.End(Expired) }} {
		o, _, _ := made()
		if end(o); o.conn != nil {
			t.Error("it still has the socket")
		}
	}
}

func TestDoneIsClosedWithTheEnd(t *testing.T) {
	early, _, _ := made()
	done := early.Done()
	select {
	case <-done:
		t.Error("done, and open")
	default:
	}
	early.End(Expired)
	<-done
	late, _, _ := made()
	late.End(Expired)
	<-late.Done()
}

func TestOnlyOneEnds(t *testing.T) {
	for range 200 {
		o, conn, _ := made()
		var wins [3]int
		var wg sync.WaitGroup
		for i, end := range []func() bool{
			func() bool { _, ok := o.Keep(); return ok },
			func() bool { return o.End(Declined) },
			func() bool { return o.End(Expired) },
		} {
			wg.Go(func() {
				if end() {
					wins[i]++
				}
			})
		}
		wg.Wait()
		if wins[0]+wins[1]+wins[2] != 1 || conn.closed != 1-wins[0] {
			t.Fatal(wins, conn.closed)
		}
	}
}
