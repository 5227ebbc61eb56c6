package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// DefaultLineTimeout is how long TLS handshake and slot line may take together,
// unless WithLineTimeout says otherwise. It is also a rover's default timeout
// for dial and line.
const DefaultLineTimeout = 5 * time.Second

// DefaultUnanswered is how long what we sent may go unanswered by a client's
// system, unless WithUnanswered says otherwise.
const DefaultUnanswered = 30 * time.Second

// Option changes a Listener that is being made. For a bad value, Listen and
// NewListener return an error that names it.
type Option func(*settings) error

type settings struct {
	slots       *Slots
	weight      float64
	slowStart   time.Duration
	clientFirst bool

	lineTimeout   time.Duration
	unanswered    time.Duration
	maxHandshakes int
	maxWaiting    int
	maxConns      int

	idle      func(*Conn) bool
	idleGiven bool
	onGiven   func(*Conn)
	onFreed   func(*Conn)
	onError   func(error)
	logger    *slog.Logger
}

func newSettings(opts []Option) (settings, error) {
	s := settings{
		weight:        1,
		lineTimeout:   DefaultLineTimeout,
		unanswered:    DefaultUnanswered,
		maxHandshakes: DefaultMaxHandshakes,
		maxWaiting:    DefaultMaxWaiting,
		idle:          (*Conn).Idle,
		onGiven:       func(*Conn) {},
		onFreed:       func(*Conn) {},
		onError:       func(error) {},
		logger:        slog.Default(),
	}
	for i, opt := range opts {
		if opt == nil {
			return settings{}, fmt.Errorf("server: option %d must not be nil", i)
		}
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

// WithWeight sets how much of the fleet's work this server takes, beside others
// of weight 1: with 2 it gets twice as many connections, with 0.5 half as many.
// Its slot lines say ⌈(slot+1)/w⌉ − 1. Must be positive and finite; default 1.
// [Listener.SetWeight] changes it later.
func WithWeight(w float64) Option {
	return func(to *settings) error {
		to.weight = w
		return checkWeight(w)
	}
}

// WithSlowStart makes the weight grow from a tenth to the whole during this time
// after the listener began, for a server that has to warm up. Must not be
// negative; default 0: the whole weight at once.
func WithSlowStart(d time.Duration) Option {
	return func(to *settings) error {
		if d < 0 {
			return fmt.Errorf("server: slow start must not be negative, got %v", d)
		}
		to.slowStart = d
		return nil
	}
}

// WithClientFirst is for protocols whose client speaks first, such as HTTP,
// gRPC and TLS behind the line. Accept returns a connection when its first byte
// has come. Until then it is the listener's: a refusal is no failed handshake in
// the log of http.Server.ServeTLS, and what pools keep for later costs the server
// neither a goroutine nor a timeout for headers. [WithMaxWaiting] limits those.
//
// Where the server speaks first, nobody would ever speak. Default: Accept does
// not wait for a byte.
func WithClientFirst() Option {
	return func(to *settings) error {
		to.clientFirst = true
		return nil
	}
}

// WithLineTimeout sets how long TLS handshake and slot line may take together,
// and how long a connection waits for an Accept before its line, until it is
// closed. Must be positive; default DefaultLineTimeout.
func WithLineTimeout(d time.Duration) Option {
	return func(to *settings) error {
		if d <= 0 {
			return fmt.Errorf("server: line timeout must be positive, got %v", d)
		}
		to.lineTimeout = d
		return nil
	}
}

// WithUnanswered sets how long what we sent, or a keep-alive probe, may go
// unanswered by the client's system before the connection is given up, so that
// the slot of a client that has vanished is free in time. The same goes for a
// client that reads nothing for so long while there is something to read. It is
// TCP_USER_TIMEOUT on Linux, TCP_RXT_CONNDROPTIME on macOS and iOS, TCP_MAXRT on
// Windows; other systems keep theirs. Must not be negative; default
// DefaultUnanswered, 0: the system's own, which may be many minutes.
func WithUnanswered(d time.Duration) Option {
	return func(to *settings) error {
		if d < 0 {
			return fmt.Errorf("server: unanswered time must not be negative, got %v", d)
		}
		to.unanswered = d
		return nil
	}
}

// WithIdle sets what [Listener.Drain] and [Listener.Shutdown] take for idle.
// (*Conn).Unused is for a server that must not be interrupted in between, such
// as gRPC's, whose streams may be quiet for long. It may be called often, and
// must not call the listener. Must not be nil; default (*Conn).Idle.
func WithIdle(f func(*Conn) bool) Option {
	return func(to *settings) error {
		if f == nil {
			return errors.New("server: idle function must not be nil")
		}
		to.idle, to.idleGiven = f, true
		return nil
	}
}
