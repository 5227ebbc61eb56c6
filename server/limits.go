package server

import "fmt"

// What is limited by default. See WithMaxHandshakes and WithMaxWaiting.
const (
	DefaultMaxHandshakes = 512
	DefaultMaxWaiting    = 10_000
)

// WithMaxHandshakes limits the TLS handshakes in progress. At the limit a
// client waits in the system's backlog, unless the oldest handshake has taken
// more than 1 s: that one is closed then, and its client sees the end of the
// stream. So clients that stall do not keep others out. Must be positive;
// default DefaultMaxHandshakes.
func WithMaxHandshakes(n int) Option {
	return func(to *settings) error {
		to.maxHandshakes = n
		return positive("handshakes", n)
	}
}

// WithMaxWaiting limits the connections that no Accept has taken: those whose
// handshake is over and that have no line yet, and with [WithClientFirst] those
// that have their line and have sent nothing. A client beyond it sees the end of
// the stream in place of the slot line. Must be positive; default
// DefaultMaxWaiting.
func WithMaxWaiting(n int) Option {
	return func(to *settings) error {
		to.maxWaiting = n
		return positive("waiting connections", n)
	}
}

// WithMaxConns limits the connections in all. A client beyond it sees a reset in
// place of the slot line, at once: it goes elsewhere. Must be positive; by
// default there is no limit.
func WithMaxConns(n int) Option {
	return func(to *settings) error {
		to.maxConns = n
		return positive("connections", n)
	}
}

func positive(what string, n int) error {
	if n < 1 {
		return fmt.Errorf("server: limit of %s must be positive, got %d", what, n)
	}
	return nil
}
