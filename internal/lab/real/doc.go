// Package real has other people's clients and servers over the pool, at its
// defaults, while servers join, restart and leave. It is a module of its own, for
// what it pulls in.
package real
