package socket

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

type opaque struct{ net.Conn } // a byte counter, a rate limiter, x/net's SOCKS

type inside struct{ net.Conn }
type around struct{ *inside } // the field is unexported, what it embeds is not
type byValue struct{ inside }

type round struct{ net.Conn }

type panics struct{ *opaque }

func (panics) NetConn() net.Conn { panic("no") }

func TestRefuseResetsUnderOpaqueWrappers(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"value":       func(c net.Conn) net.Conn { return opaque{c} },
		"pointer":     func(c net.Conn) net.Conn { return &opaque{c} },
		"twice":       func(c net.Conn) net.Conn { return &opaque{opaque{c}} },
		"around":      func(c net.Conn) net.Conn { return around{&inside{c}} },
		"by value":    func(c net.Conn) net.Conn { return &byValue{inside{c}} },
		"TLS in it":   func(c net.Conn) net.Conn { return opaque{tls.Client(c, &tls.Config{InsecureSkipVerify: true})} },
		"in TLS":      func(c net.Conn) net.Conn { return tls.Client(opaque{c}, &tls.Config{InsecureSkipVerify: true}) },
		"shown first": func(c net.Conn) net.Conn { return &wrapper{Conn: opaque{&wrapper{Conn: c}}} },
		"concrete":    func(c net.Conn) net.Conn { return struct{ *net.TCPConn }{c.(*net.TCPConn)} },
	} {
		client, server := pair(t)
		wrapped := wrap(client)
		Refuse(wrapped)
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the server reads %v, want a reset", name, err)
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: not closed: %v", name, err)
		}
		Refuse(wrapped)
	}
}

func TestRefuseEndsWithOddEmbedding(t *testing.T) {
	circle := &round{}
	circle.Conn = opaque{circle} // its methods would go round for ever: it has an end of its own
	for name, odd := range map[string]net.Conn{
		"nothing":        opaque{},
		"nil":            (*opaque)(nil),
		"nil inside":     around{},
		"nil socket":     opaque{(*net.TCPConn)(nil)},
		"panics":         panics{},
		"circle of half": ended{&opaque{circle}},
	} {
		t.Log(name)
		Refuse(odd)
	}
	client, server := net.Pipe()
	defer server.Close()
	Refuse(&opaque{client})
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}

// A farewell might have to wait for somebody who does not read.
func TestRefuseSaysNoFarewell(t *testing.T) {
	client, _ := pair(t)
	polite := &farewell{Conn: client}
	Refuse(polite)
	if !errors.Is(polite.said, net.ErrClosed) {
		t.Errorf("the farewell was written: %v", polite.said)
	}
}

type farewell struct {
	net.Conn
	said error
}

func (f *farewell) Close() error {
	_, f.said = f.Write([]byte("bye"))
	return f.Conn.Close()
}

func TestRefuseClosesWhatCannotBeSearched(t *testing.T) {
	outer := &closes{Conn: panics{}}
	Refuse(outer)
	if outer.n != 1 {
		t.Errorf("closed %d times", outer.n)
	}
}

type closes struct {
	net.Conn
	n int
}

func (c *closes) Close() error { c.n++; return nil }

// ended closes itself without what it embeds.
type ended struct{ net.Conn }

func (ended) Close() error { return nil }

// What shows no NetConn stays opaque to who wants to go on using the socket.
func TestLayersLeaveOpaqueWrappersShut(t *testing.T) {
	client, _ := pair(t)
	n := 0
	for range Layers(opaque{client}) {
		n++
	}
	if n != 1 {
		t.Errorf("%d layers", n)
	}
}

func BenchmarkRefuse(b *testing.B) {
	conn := &idle{}
	for b.Loop() {
		Refuse(conn)
	}
}

// idle is a TCP socket without the system calls.
type idle struct{ net.Conn }

func (*idle) SetLinger(int) error { return nil }
func (*idle) Close() error        { return nil }
