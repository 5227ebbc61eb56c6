package server

import (
	"errors"
	"log/slog"
)

// WithOnGiven sets what is called when a connection's slot line is written,
// before Accept returns the connection.
//
// This and WithOnFreed are called by the goroutine at hand with no lock held;
// many may run at once, but the calls for one slot come in order, given and
// freed in turn. Be quick: an Accept may wait. Do not call the listener's Close:
// it waits. A panic is logged, and costs this connection.
func WithOnGiven(f func(*Conn)) Option {
	return func(to *settings) error {
		if f == nil {
			return errors.New("server: on-given function must not be nil")
		}
		to.onGiven = f
		return nil
	}
}

// WithOnFreed sets what is called when a connection's slot is free again: once
// for each call of WithOnGiven's function, and before the connection's Close
// returns. The rules of WithOnGiven hold; do not call the connection's Close.
func WithOnFreed(f func(*Conn)) Option {
	return func(to *settings) error {
		if f == nil {
			return errors.New("server: on-freed function must not be nil")
		}
		to.onFreed = f
		return nil
	}
}

// WithOnError sets what is called with errors that no call returns: a handshake
// or slot line that failed, an inner Accept that failed and will be tried again,
// a limit that was met, a panic. Defaults to nothing. The rules of WithOnGiven
// hold.
func WithOnError(f func(error)) Option {
	return func(to *settings) error {
		if f == nil {
			return errors.New("server: on-error function must not be nil")
		}
		to.onError = f
		return nil
	}
}

// WithLogger sets where the listener logs its own trouble: an inner Accept that
// failed, such as out of descriptors, limits and panics. The same trouble is
// logged once, then at most once a minute with its count. What single clients do
// is logged at Debug. Must not be nil; default slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(to *settings) error {
		if l == nil {
			return errors.New("server: logger must not be nil")
		}
		to.logger = l
		return nil
	}
}
