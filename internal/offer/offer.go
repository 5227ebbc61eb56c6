// Package offer has the hand-off of a socket: it is offered to several, taken
// by one at most, and closed when it is not.
package offer

import (
	"fmt"
	"net"
	"sync"

	"github.com/callosum-go/rover/internal/expiry"
	"github.com/callosum-go/rover/internal/socket"
)

// A Fate is how an offer ended.
type Fate int

const (
	Open     Fate = iota // not yet
	Kept                 // somebody has the socket
	Declined             // all who had it said no
	Expired              // nobody said anything in time
)

// An Offer is a socket that nobody has taken yet. It ends once.
type Offer[T any] struct {
	About T // what is known of the socket
	Conn  net.Conn
	Place expiry.Node[*Offer[T]]
	// Over is told the end, under the offer's lock: who finds it over finds it
	// told. Nil: nobody asks. Set it before the offer is shown to anybody.
	Over func(*Offer[T], Fate)

	mu       sync.Mutex
	fate     Fate
	holders  int // who has it and has not said no
	declined bool
}

// New makes an offer that its maker holds until Leave(false), so that it is
// not over before everyone has seen it.
func New[T any](about T, conn net.Conn) *Offer[T] {
	o := &Offer[T]{About: about, Conn: conn, holders: 1}
	o.Place.Thing = o
	return o
}

// Hold is one holder more.
func (o *Offer[T]) Hold() {
	o.mu.Lock()
	o.holders++
	o.mu.Unlock()
}

// Leave is one holder less; no says that it does not want the socket. Once
// nobody holds the offer and somebody said no, it is over. If nobody said no,
// nobody has seen it, and it stays open for who may come.
func (o *Offer[T]) Leave(no bool) {
	o.mu.Lock()
	o.holders--
	o.declined = o.declined || no
	over := o.holders == 0 && o.declined
	o.mu.Unlock()
	if over {
		o.End(Declined)
	}
}

// End ends the offer and closes the socket, unless it is kept. False: it was
// over already.
func (o *Offer[T]) End(fate Fate) bool {
	o.mu.Lock()
	if o.fate != Open {
		o.mu.Unlock()
		return false
	}
	o.fate = fate
	if o.Over != nil {
		o.Over(o, fate)
	}
	o.mu.Unlock()
	if fate != Kept {
		socket.Refuse(o.Conn)
	}
	return true
}

// Fate returns how the offer ended, or Open.
func (o *Offer[T]) Fate() Fate {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fate
}

// String tells what is known of the socket, for logs.
func (o *Offer[T]) String() string { return fmt.Sprint(o.About) }
