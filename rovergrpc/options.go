package rovergrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/callosum-go/rover/pool"
)

// DefaultTimeout is how long a connection may take to become ready, and calls
// wait for one, unless WithTimeout says otherwise.
const DefaultTimeout = 5 * time.Second

// An Option configures Over.
type Option func(*settings) error

// settings are what a client was given. They do not change.
type settings struct {
	pool          *pool.Pool
	conns         int
	timeout       time.Duration
	streamAge     time.Duration // 0: no limit
	leastBusy     bool
	serviceConfig string
}

// WithConns sets how many connections the client borrows: at least 1, default
// all that the pool keeps. Leave some where others borrow from the pool too.
func WithConns(n int) Option {
	return func(s *settings) error {
		if s.conns = n; n < 1 {
			return fmt.Errorf("rovergrpc: conns must be at least 1, got %d", n)
		}
		return nil
	}
}

// WithLeastBusy gives each call to the connection that has the fewest under way,
// of equals to the next one. It is for calls that differ much in how long they
// take. Default: each connection in turn.
func WithLeastBusy() Option {
	return func(s *settings) error {
		s.leastBusy = true
		return nil
	}
}

// WithTimeout sets how long a connection may take from borrowed to ready, TLS
// included, and how long calls wait for one before those without
// grpc.WaitForReady fail: more than 0, default 5 s.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if s.timeout = d; d <= 0 {
			return fmt.Errorf("rovergrpc: timeout must be more than 0, got %v", d)
		}
		return nil
	}
}

// WithStreamAge sets how long calls and streams may go on, once the pool or the
// server has given up their connection: more than 0, spread by a tenth either
// way, default for ever. What is under way then ends with codes.Unavailable. A
// connection that was given up holds a slot of its server until then. See
// [Moving] for streams that would rather leave by themselves.
func WithStreamAge(d time.Duration) Option {
	return func(s *settings) error {
		if s.streamAge = d; d <= 0 {
			return fmt.Errorf("rovergrpc: stream age must be more than 0, got %v", d)
		}
		return nil
	}
}

// WithServiceConfig sets the client's service config, in JSON: retries, timeouts
// and health checks by method. It takes the place of
// grpc.WithDefaultServiceConfig, which has no effect beside Over. What it says
// on load balancing is left out.
func WithServiceConfig(config string) Option {
	return func(s *settings) error {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(config), &fields); err != nil {
			return fmt.Errorf("rovergrpc: service config must be a JSON object: %w", err)
		}
		s.serviceConfig = balanced(fields)
		return nil
	}
}

// balanced is a service config with our balancer.
func balanced(fields map[string]json.RawMessage) string {
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	delete(fields, "loadBalancingPolicy") // its former name
	fields["loadBalancingConfig"] = json.RawMessage(`[{"` + scheme + `":{}}]`)
	text, _ := json.Marshal(fields) // of what has just been read
	return string(text)
}

func configured(conns *pool.Pool, options []Option) (*settings, error) {
	if conns == nil {
		return nil, errors.New("rovergrpc: pool must not be nil")
	}
	s := &settings{pool: conns, conns: conns.Max(), timeout: DefaultTimeout, serviceConfig: balanced(nil)}
	for i, option := range options {
		if option == nil {
			return nil, fmt.Errorf("rovergrpc: option %d of %d is nil", i+1, len(options))
		}
		if err := option(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// refuse is an option with which grpc.NewClient fails: it parses the service
// config, and so our part of it, which is nothing but the error.
func refuse(err error) grpc.DialOption {
	text, _ := json.Marshal(err.Error())
	return grpc.WithDefaultServiceConfig(fmt.Sprintf(`{"loadBalancingConfig":[{%q:{"error":%s}}]}`, scheme, text))
}
