package rovergrpc

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/pool"
)

// loanKey is where the address of a SubConn has its loan.
type loanKey struct{}

// A loan is a connection of the pool in gRPC's hands. Until it is up, its lane
// ends the loan, which hears why it failed; from then on gRPC does, when the
// last stream has ended.
type loan struct {
	*pool.Conn

	mu     sync.Mutex
	dialed bool // gRPC has it
	isup   bool // HTTP/2 runs on it
	shut   bool // gRPC has closed it
	left   bool // its lane has given it up
	age    *time.Timer
	aged   atomic.Bool
}

var errAged = errors.New("rovergrpc: connection was given up, and what was under way has reached its age (WithStreamAge)")

// dial hands the connection to gRPC, once.
func (l *loan) dial() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialed || l.left {
		return nil, errors.New("rovergrpc: connection is not lent any more")
	}
	l.dialed = true
	return l, nil
}

// up says that HTTP/2 runs.
func (l *loan) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isup = true
}

func (l *loan) isUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isup
}

func (l *loan) closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
}

// early is the error of a connection that ends now: nil if it has been up.
func (l *loan) early() error {
	if l.isUp() {
		return nil
	}
	return errors.New("rovergrpc: server ended the connection before it was ready")
}

// Close is gRPC's.
func (l *loan) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = true
	if l.age != nil {
		l.age.Stop()
	}
	if !l.isup && !l.left {
		return l.Conn.SetDeadline(time.Unix(1, 0)) // what reads and writes ends
	}
	return l.Conn.Close()
}

// leave is the end of the lane's interest, by an error if the connection never
// was up. One that is up goes on until gRPC closes it, or for a time.
func (l *loan) leave(err error, age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = true
	switch {
	case !l.dialed:
		l.Conn.Release()
	case err != nil:
		l.Conn.Fail(err)
	case !l.isup || l.shut:
		_ = l.Conn.Close()
	case age > 0:
		l.age = time.AfterFunc(time.Duration((0.9+0.2*rand.Float64())*float64(age)), func() {
			l.aged.Store(true)
			_ = l.Conn.Close()
		})
	}
}

// Read says why it ends, for streams fail with its error.
func (l *loan) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil && l.aged.Load() {
		err = errAged
	}
	return n, err
}
