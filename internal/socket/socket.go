// Package socket has what is done to a socket besides reading and writing it:
// giving it back at once, and whose fault an error is.
package socket

import (
	"iter"
	"net"
	"time"
)

// Refuse closes a socket so that the server has its slot back at once and this
// side keeps no TIME_WAIT: by a reset, under TLS too, without a farewell that
// might have to wait. Nil is none.
//
// A socket that panics is one that somebody else made, and a nil pointer in a
// net.Conn as a rule: there is nothing to close then.
func Refuse(conn net.Conn) {
	if conn == nil {
		return
	}
	defer func() { _ = recover() }()
	raw := conn
	for layer := range Layers(conn) {
		raw = layer
	}
	tcp, ok := raw.(lingerer)
	if !ok {
		if tcp = embedded(conn); tcp != nil {
			raw = tcp.(net.Conn)
		}
	}
	if tcp != nil {
		_ = tcp.SetLinger(0) // fails only if it is closed already
	}
	if raw != conn {
		_ = raw.Close()
	}
	_ = conn.Close()
}

type lingerer interface{ SetLinger(sec int) error }

// Ready makes a socket ready for its owner: without deadlines and, if it has no
// keep-alive probes so far, with those that net.Dialer gives by default, where
// the system has them.
func Ready(conn net.Conn, unprobed bool) {
	defer func() { _ = recover() }() // as in Refuse
	_ = conn.SetDeadline(time.Time{})
	if !unprobed {
		return
	}
	for layer := range Layers(conn) {
		if tcp, ok := layer.(*net.TCPConn); ok {
			_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true})
		}
	}
}

// Peer returns the address of the other side, "" if there is no telling.
func Peer(conn net.Conn) (addr string) {
	defer func() { _ = recover() }() // as in Refuse
	if conn != nil {
		if remote := conn.RemoteAddr(); remote != nil {
			addr = remote.String()
		}
	}
	return addr
}

// Layers gives the socket and what is under it, TLS and other wrappers, down to
// the one that shows no more. There are two or three as a rule; a wrapper that
// shows itself must not send us round for ever.
func Layers(conn net.Conn) iter.Seq[net.Conn] {
	return func(yield func(net.Conn) bool) {
		for range 16 {
			if conn == nil || !yield(conn) {
				return
			}
			wrapper, ok := conn.(interface{ NetConn() net.Conn })
			if !ok {
				return
			}
			conn = wrapper.NetConn()
		}
	}
}
