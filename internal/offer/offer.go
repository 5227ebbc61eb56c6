// Package offer has the hand-off of a socket: it is offered to several, taken
// by one at most, and closed when it is not.
package offer

import (
	"net"
	"sync"

	"github.com/callosum-go/rover/internal/socket"
)

// A Fate is how an offer ended.
type Fate int

const (
	Open       Fate = iota // not yet
	Kept                   // somebody has the socket
	Declined               // everyone who had it left it, and somebody said no
	Overflowed             // nobody said no, but somebody's queue had no room for it
	Left                   // all who had it are gone without an answer
	Expired                // nobody said anything in time
	Stopped                // its source has ended
)

// An Owner hears of the end of its offer, under the offer's lock: who finds the
// offer over finds that its owner knows.
type Owner interface{ Ended(Fate) }

// An Offer is a socket that nobody has taken yet. It ends once, and forgets the
// socket then. It is ready after Init.
type Offer struct {
	owner Owner

	mu      sync.Mutex
	conn    net.Conn // nil: it is over
	fate    Fate
	holders int           // who has it and has not left it
	why     Fate          // that it is over once nobody holds it; Open: it is not
	done    chan struct{} // nil: nobody has asked for it
}

// Init makes an offer that its maker holds until Leave(Open), so that it is not
// over before everyone has seen it. A nil owner hears nothing.
func (o *Offer) Init(conn net.Conn, owner Owner) { o.conn, o.owner, o.holders = conn, owner, 1 }

// Hold is one holder more.
func (o *Offer) Hold() {
	o.mu.Lock()
	o.holders++
	o.mu.Unlock()
}

// Leave is one holder less, and says why: Declined, Overflowed, Left, or Open
// for one who has no say. Once nobody holds the offer it ends with the first of
// these that somebody gave. If nobody gave one, nobody has seen it, and it
// stays open for who may come.
func (o *Offer) Leave(why Fate) {
	o.mu.Lock()
	o.holders--
	if why != Open && (o.why == Open || why < o.why) {
		o.why = why
	}
	over, fate := o.holders == 0 && o.why != Open, o.why
	o.mu.Unlock()
	if over {
		o.End(fate)
	}
}

// End ends the offer and closes the socket. False: it was over already.
func (o *Offer) End(fate Fate) bool {
	conn, ok := o.end(fate)
	socket.Refuse(conn)
	return ok
}

// Keep ends the offer and returns the socket. False: it was over already.
func (o *Offer) Keep() (net.Conn, bool) { return o.end(Kept) }

func (o *Offer) end(fate Fate) (conn net.Conn, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fate != Open {
		return nil, false
	}
	conn, o.conn, o.fate = o.conn, nil, fate
	if o.owner != nil {
		o.owner.Ended(fate)
	}
	if o.done != nil {
		close(o.done)
	}
	return conn, true
}

// Fate returns how the offer ended, or Open.
func (o *Offer) Fate() Fate {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fate
}

// Untouched is true to an open offer that nobody has left so far.
func (o *Offer) Untouched() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fate == Open && o.why == Open
}

// Done returns a channel that is closed when the offer is over.
func (o *Offer) Done() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done == nil {
		o.done = make(chan struct{})
		if o.fate != Open {
			close(o.done)
		}
	}
	return o.done
}
