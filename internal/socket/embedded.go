package socket

import (
	"net"
	"reflect"
)

// embedded looks for the TCP socket under wrappers that embed a net.Conn and
// have no NetConn to show it by, as most byte counters and proxies do. Nil:
// there is none, or a wrapper panics, or it hides behind an unexported name.
//
// It is for a socket that is given up. To everybody else such a wrapper is
// opaque: what it does to the bytes must not be gone round.
func embedded(conn net.Conn) (tcp lingerer) {
	defer func() { _ = recover() }()
	d := digger{left: 64}
	d.into(conn)
	return d.found
}

// A digger looks at no more than so many wrappers: they may go round in a circle.
type digger struct {
	left  int
	found lingerer
}

func (d *digger) into(conn net.Conn) {
	d.left--
	for layer := range Layers(conn) {
		conn = layer
	}
	if tcp, ok := conn.(lingerer); ok {
		d.found = tcp
		return
	}
	d.fields(reflect.ValueOf(conn))
}

func (d *digger) fields(v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem() // invalid, and no struct, if it is nil
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for i := 0; i < v.NumField() && d.found == nil && d.left > 0; i++ {
		field := v.Field(i)
		if !v.Type().Field(i).Anonymous {
			continue
		}
		if conn := asConn(field); conn != nil {
			d.into(conn)
		} else {
			d.fields(field) // an unexported struct with a net.Conn in it
		}
	}
}

func asConn(v reflect.Value) net.Conn {
	if !v.CanInterface() {
		return nil
	}
	conn, _ := v.Interface().(net.Conn)
	return conn
}
