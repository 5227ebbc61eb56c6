package pool_test

import (
	"net"

	"github.com/callosum-go/rover/pool"
)

// A peer is one socket, seen from both sides.
type peer struct {
	net.Conn // ours
	theirs   net.Conn
	slot     int
	unread   string

	kept, dead bool
	loan       *pool.Conn // nil: not lent
	closed     int
	used       bool // by any borrower
	using      bool // by the present one
	open       int  // what he wrote and has not read an answer to
	asked      bool // he has written
	late       bool // a deadline passed after that
}

func (s *peer) Close() error {
	s.closed++
	return s.Conn.Close()
}

// unclean is why the connection must not be lent again, 0 if it may.
func (s *peer) unclean() pool.Cause {
	switch {
	case !s.using:
		return 0
	case s.late:
		return pool.Late
	case s.open > 0:
		return pool.Unanswered
	case s.unread != "":
		return pool.Unread
	}
	return 0
}

func (s *peer) renew() { s.using, s.open, s.asked, s.late = false, 0, false, false }

// use notes that the borrower reads or writes.
func (s *peer) use() { s.used, s.using = true, true }
