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

func made() (*Offer[string], *counted, *[]Fate) {
	conn, fates := &counted{}, &[]Fate{}
	o := New("a", conn)
	o.Over = func(_ *Offer[string], f Fate) { *fates = append(*fates, f) }
	return o, conn, fates
}

func TestAnOfferIsOverWhenAllSayNo(t *testing.T) {
	o, conn, fates := made()
	o.Hold()
	o.Hold()
	o.Leave(true)
	o.Leave(true)
	if o.Fate() != Open {
		t.Fatal("over before its maker let go")
	}
	o.Leave(false)
	if o.Fate() != Declined || conn.closed != 1 || len(*fates) != 1 {
		t.Error(o.Fate(), conn.closed, *fates)
	}
	if o.End(Kept) || o.End(Expired) || conn.closed != 1 || len(*fates) != 1 {
		t.Error("it ended twice")
	}
}

func TestAnOfferNobodySawStaysOpen(t *testing.T) {
	o, conn, _ := made()
	o.Leave(false)
	if o.Fate() != Open || conn.closed != 0 {
		t.Fatal("over, and nobody said no")
	}
	o.Hold()
	o.Leave(true)
	if o.Fate() != Declined || conn.closed != 1 {
		t.Error("the only one who saw it said no, and it is", o.Fate())
	}
}

func TestAnUndecidedHolderKeepsItOpen(t *testing.T) {
	o, conn, _ := made()
	o.Hold()
	o.Hold()
	o.Leave(false)
	o.Leave(true)
	if o.Fate() != Open || conn.closed != 0 {
		t.Error(o.Fate(), conn.closed)
	}
	if !o.End(Expired) || conn.closed != 1 {
		t.Error("an expired socket is not closed")
	}
}

func TestAKeptSocketIsNotClosed(t *testing.T) {
	o, conn, fates := made()
	o.Hold()
	if !o.End(Kept) || conn.closed != 0 {
		t.Error(o.Fate(), conn.closed)
	}
	o.Leave(true)
	o.Leave(true)
	if o.Fate() != Kept || conn.closed != 0 || len(*fates) != 1 {
		t.Error(o.Fate(), conn.closed, *fates)
	}
}

func TestOnlyOneEnds(t *testing.T) {
	for range 200 {
		conn := &counted{}
		o := New("a", conn)
		var wins [3]int
		var wg sync.WaitGroup
		for i, fate := range []Fate{Kept, Declined, Expired} {
			wg.Go(func() {
				if o.End(fate) {
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
