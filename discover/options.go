package discover

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// What options default to.
const (
	DefaultRefreshMin = time.Second      // between two looks at the least
	DefaultRefreshMax = 30 * time.Second // between two looks at the most
	DefaultTimeout    = 10 * time.Second // for one look
	DefaultJitter     = 0.1              // of each wait, at random, less
)

// An Option configures a source. A wrong one makes the source emit one error,
// which names option and value, and end.
type Option func(*settings) error

type settings struct {
	min, max, timeout time.Duration
	jitter            float64
	empty             bool
	keep              float64
	confirm           time.Duration
	nameserver        string
	priorities        bool
	attributes        *Attributes
	health            *Health
	name              string // of the source, before its faults
}

// WithRefresh sets how long to wait between two looks, before jitter: at least min,
// also if an answer is good for less and after a fault, and at most max, also if an
// answer is good for longer. A source that says itself that it has changed is looked
// at at once. More than 0 and min at most max; default 1 s and 30 s.
func WithRefresh(min, max time.Duration) Option {
	return func(s *settings) error {
		if s.min, s.max = min, max; min <= 0 || min > max {
			return fmt.Errorf("discover: refresh must be more than 0 and at most its max, got %v and %v", min, max)
		}
		return nil
	}
}

// WithTimeout sets how long one look may take: more than 0, default 10 s. What
// is not there by then is a fault.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if s.timeout = d; d <= 0 {
			return fmt.Errorf("discover: timeout must be positive, got %v", d)
		}
		return nil
	}
}

// WithJitter sets the part of each wait that is left out at random, from 0 to 1;
// default 0.1: a wait of 10 s takes 9 to 10 s.
func WithJitter(part float64) Option {
	return func(s *settings) error {
		if s.jitter = part; !(part >= 0 && part <= 1) {
			return fmt.Errorf("discover: jitter must be from 0 to 1, got %v", part)
		}
		return nil
	}
}

// WithEmpty sets whether an empty set is one. Default false: it is a fault, and
// the last set stays, for sources that fail say so now and then by an empty answer.
func WithEmpty(allow bool) Option {
	return func(s *settings) error {
		s.empty = allow
		return nil
	}
}

// WithShrink has a set wait that has less than a part, keep, of the servers that
// are in force: it is emitted if no larger one has come after a time. keep is more
// than 0 and at most 1, the time more than 0. Default: no set waits.
func WithShrink(keep float64, after time.Duration) Option {
	return func(s *settings) error {
		if s.keep, s.confirm = keep, after; !(keep > 0 && keep <= 1) || after <= 0 {
			return fmt.Errorf("discover: shrink must keep more than 0 and at most 1, for more than 0 s, got %v for %v", keep, after)
		}
		return nil
	}
}

// WithNameserver sets who is asked by DNS and SRV: an IP address, with a port or
// without, which is 53 then. Default: the servers of /etc/resolv.conf, whose
// search list, timeout and attempts count too.
func WithNameserver(address string) Option {
	return func(s *settings) error {
		if _, err := netip.ParseAddr(address); err == nil {
			address = net.JoinHostPort(address, "53")
		}
		s.nameserver = address
		if _, err := netip.ParseAddrPort(address); err != nil {
			return fmt.Errorf("discover: nameserver must be an IP address, or address:port, got %q", address)
		}
		return nil
	}
}

// WithPriorities has SRV emit the servers of all priorities, where it emits those
// of the first priority alone else (RFC 2782): for a policy that reads Attributes.
func WithPriorities() Option {
	return func(s *settings) error {
		s.priorities = true
		return nil
	}
}

// WithAttributes sets where a source notes what it knows of its servers beside
// their addresses, before it emits them. Default: nowhere.
func WithAttributes(a *Attributes) Option {
	return func(s *settings) error {
		if s.attributes = a; a == nil {
			return fmt.Errorf("discover: attributes must not be nil")
		}
		return nil
	}
}

// WithHealth sets where a source notes how it does. Default: nowhere.
func WithHealth(h *Health) Option {
	return func(s *settings) error {
		if s.health = h; h == nil {
			return fmt.Errorf("discover: health must not be nil")
		}
		return nil
	}
}

func named(name string) Option {
	return func(s *settings) error {
		s.name = name + ": "
		return nil
	}
}

func configure(opts []Option) (*settings, error) {
	s := &settings{min: DefaultRefreshMin, max: DefaultRefreshMax, timeout: DefaultTimeout, jitter: DefaultJitter, health: new(Health)}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("discover: option %d of %d is nil", i+1, len(opts))
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}
