package pool

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// TraceConn returns a context for requests of a Transport, and a function that
// says on which connection the last request with it was sent: nil, if none was.
// That is a loan of the Transport's: it is to be looked at, not to be used or
// ended.
//
// Its Replaced is how the owner of a websocket, an event stream or another long
// answer learns that the pool has something better, and that it should begin a
// new one and end this; nothing ends it otherwise. Its Server and Slot say who
// answers.
//
// It is httptrace's GotConn, which a Transport traces with a *Conn.
func TraceConn(ctx context.Context) (context.Context, func() *Conn) {
	var last atomic.Pointer[Conn]
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if c, ok := info.Conn.(*Conn); ok {
			last.Store(c)
		}
	}}), last.Load
}
