package server

import (
	"errors"
	"fmt"
	"time"
)

// DefaultGreetTimeout is how long TLS handshake and slot line may take together,
// unless WithGreetTimeout says otherwise. It is also a rover's default timeout
// for dial and line.
const DefaultGreetTimeout = 5 * time.Second

// Option changes a Listener that is being made. For a bad value, Listen and
// NewListener return an error that names it.
type Option func(*settings) error

type settings struct {
	slots           *Slots
	announceTimeout time.Duration
	onGiven         func(*Conn)
	onFreed         func(*Conn)
	onError         func(error)
}

func newSettings(opts []Option) (settings, error) {
	s := settings{
		announceTimeout: DefaultGreetTimeout,
		onGiven:         func(*Conn) {},
		onFreed:         func(*Conn) {},
		onError:         func(error) {},
	}
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return settings{}, err
		}
	}
	if s.slots == nil {
		s.slots = new(Slots)
	}
	return s, nil
}

// WithSlots makes the listener take its slots from s: to share them among the
// listeners of one service, or to look at InUse. Defaults to slots of its own.
func WithSlots(s *Slots) Option {
	return func(to *settings) error {
		if s == nil {
			return errors.New("server: slots must not be nil")
		}
		to.slots = s
		return nil
	}
}

// WithGreetTimeout sets how long TLS handshake and slot line may take together
// before the connection is closed. Must be positive; defaults to
// DefaultGreetTimeout.
func WithGreetTimeout(d time.Duration) Option {
	return func(to *settings) error {
		if d <= 0 {
			return fmt.Errorf("server: greet timeout must be positive, got %v", d)
		}
		to.announceTimeout = d
		return nil
	}
}

// WithOnGiven sets what is called when a connection's slot line is written,
// before Accept returns the connection.
//
// This and WithOnFreed are called by the goroutine at hand with no lock held;
// many may run at once, but the calls for one slot come in order, given and
// freed in turn. Be quick, and do not call the listener's Close: it waits.
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

// WithOnError sets what is called with errors that no call returns: a slot line
// that failed, an inner Accept that failed and will be tried again.
// Defaults to nothing. The rules of WithOnGiven hold.
func WithOnError(f func(error)) Option {
	return func(to *settings) error {
		if f == nil {
			return errors.New("server: on-error function must not be nil")
		}
		to.onError = f
		return nil
	}
}
