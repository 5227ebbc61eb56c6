// Package relay brings slots to programs that know nothing of them: unmodified,
// on either side, in any language.
//
//	program ──▶ Proxy ──(slot line)──▶ Front ──▶ server
//	            a local port           dials the server first,
//	            over a pool            then gives a slot
//
// A [Front] stands before a server and gives out slots for it. A [Proxy] stands
// beside a client: a local port whose connections go over a pool, and so to the
// servers with the lowest slots. Either works without the other: a Go client with
// a pool needs no Proxy, a server on package server no Front. [Join] is what both
// are made of. The command has them as rover front and rover proxy.
//
// Read join.go, then pump.go: one decides when it is over, the other copies.
package relay
