// Package server is the other side of a rover: a net.Listener that writes
// each connection a line with the lowest slot it has free.
//
//	dial ──▶ (TLS handshake) ── an Accept waits ── take a slot ── write "13\r\n" ──▶ your handler
//	                                                                                       │
//	                    the slot is free again ◀── the connection is closed, or reset ◀────┘
//
// The listener of [Listen] or [NewListener] goes wherever a net.Listener goes:
// http.Server, grpc.Server and a hand-written loop run on it unchanged. What
// Accept returns has its slot line written already, so a protocol of any kind
// follows. The wire protocol is Callosum, an open form of Indeed's Boxcar;
// docs/protocol.md has it as a specification, docs/server.md the whole of this
// package.
//
// # How a service ends
//
// [Listener.Drain] moves the work to other servers, one connection after the
// other. [Listener.Shutdown] ends the service, with the http.Server or
// grpc.Server on it: what nobody uses at once, the rest when it is done.
//
// # When a slot is free again
//
// At Close of the connection, or as soon as a Read, Write or copy on it fails
// because the connection is gone: reset, broken pipe, given up by the system. A
// Read's io.EOF does not free the slot before CloseWrite: a client may end its
// own direction and go on reading, and a server may still have much to say. So keep a Read pending on
// each connection and Close at its end, as http.Server and grpc.Server do. A
// handler that neither reads nor writes does not notice that the client has
// refused, and holds the slot until Close: the server looks busier than it is.
//
// # TLS
//
// For the line inside TLS give [NewListener] a tls.NewListener. The handshake
// comes before the slot is taken. http.Server knows TLS by the type
// *tls.Conn, so it takes such a connection for a plain one: Request.TLS is nil,
// and Server.ConnContext can find the state by [Conn.NetConn]. For HTTP/2, with
// "h2" among the tls.Config's NextProtos, call Server.Protocols'
// SetUnencryptedHTTP2(true): for http.Server, that HTTP/2 is in plain text.
//
// For the line in plain text and TLS behind it, as with STARTTLS, it is the
// other way round: http.Server.ServeTLS, or tls.NewListener, on a [Listener],
// with [WithClientFirst].
package server
