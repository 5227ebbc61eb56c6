package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/internal/socket"
)

// A Side is one of the two connections of a Join.
type Side int

// The sides. Neither means that the relay itself has ended it.
const (
	Neither Side = iota
	A
	B
)

func (s Side) String() string { return [...]string{"neither", "a", "b"}[s] }

// A Result is what became of a Join.
type Result struct {
	Sent  int64 // bytes read from a and written to b
	Got   int64 // bytes read from b and written to a
	First Side  // which one ended, or broke, first
	Err   error // nil: both directions have ended in order
}

// Why the relay itself ends a Join: Result.Err wraps these.
var (
	ErrHalfOpen = errors.New("relay: one side has ended, and the other is silent")
	ErrRetired  = errors.New("relay: closed while it was quiet, for it was not wanted any more")
)

// An Option changes one Join.
type Option func(*joint)

// DefaultHalfOpen is how long a Join goes on in silence once a side has ended.
const DefaultHalfOpen = time.Minute

// WithHalfOpen sets how long the direction that is left may be silent once the
// other has ended. Every byte prolongs it. It must be positive; default
// DefaultHalfOpen.
func WithHalfOpen(d time.Duration) Option { return func(j *joint) { j.halfOpen = d } }

// WithContext cuts the Join when ctx ends, whatever is under way: by a reset, so
// that nobody takes half a message for a whole one.
func WithContext(ctx context.Context) Option { return func(j *joint) { j.ctx = ctx } }

// WithRetire ends the Join after either signal is closed, as soon as nothing has
// moved for the time quiet, which must be positive. Where a spoke last, it may wait
// for an answer: then it takes twelve times that. A nil signal never comes.
func WithRetire(quiet time.Duration, either, or <-chan struct{}) Option {
	return func(j *joint) { j.either, j.or, j.quiet = either, or, quiet }
}

// patience is how many times longer a side may take that was asked something.
const patience = 12

// linger is how long a side that goes on sending is listened to after the other
// one is gone, so that it can read what that one said last.
const linger = time.Second

// A joint is a Join under way.
type joint struct {
	a, b     net.Conn
	out, in  way // from a to b, from b to a
	halfOpen time.Duration
	ctx      context.Context
	either   <-chan struct{}
	or       <-chan struct{}
	quiet    time.Duration
	spoke    atomic.Int32 // the side that has sent something last
	first    atomic.Int32 // the side that ended first

	ended  chan *way
	result Result
}

// Join copies both ways between a and b until both directions have ended, and
// closes both. The end of a direction is passed on as one (half-close), a
// reset as a reset. Bytes go by splice(2) where both are sockets of the system,
// bare or under wrappers that let bytes pass (they have NetConn, ReadFrom and
// WriteTo), and much is to be copied. Deadlines set before are lost.
//
// When a side cannot be written to any more, what the other one still sends is
// dropped, so that it can read the answer it gets: a server may answer before it
// has read everything, and close.
func Join(a, b net.Conn, opts ...Option) Result {
	j := &joint{a: a, b: b, halfOpen: DefaultHalfOpen, ctx: context.Background(), ended: make(chan *way, 2)}
	for _, opt := range opts {
		opt(j)
	}
	return j.run()
}

func (j *joint) run() Result {
	j.out = way{from: j.a, to: j.b, side: A, spoke: &j.spoke, first: &j.first}
	j.in = way{from: j.b, to: j.a, side: B, spoke: &j.spoke, first: &j.first}
	var pumps sync.WaitGroup
	for _, w := range []*way{&j.out, &j.in} {
		pumps.Go(func() {
			w.pump()
			j.ended <- w
			if w.lost {
				w.discard()
			}
		})
	}
	j.supervise()
	j.result.First = Side(j.first.Load())
	if j.result.Err == nil && (j.out.lost || j.in.lost) {
		waitFor(&pumps, linger)
	}
	if inOrder(j.result.Err) {
		j.a.Close()
		j.b.Close()
	} else {
		socket.Refuse(j.a)
		socket.Refuse(j.b)
	}
	pumps.Wait()
	j.result.Sent, j.result.Got = j.out.moved.Load(), j.in.moved.Load()
	return j.result
}

// inOrder says whether what ended the Join has cut no message in two.
func inOrder(err error) bool { return err == nil || errors.Is(err, ErrRetired) }

// supervise returns when both directions have ended, or are to be.
func (j *joint) supervise() {
	var look *time.Ticker // nil while there is no reason to look
	var looks <-chan time.Time
	watch := silence{joint: j}
	every := func(d time.Duration) {
		if look == nil {
			look = time.NewTicker(d)
			looks = look.C
		} else {
			look.Reset(d)
		}
		watch.begin(d)
	}
	defer func() {
		if look != nil {
			look.Stop()
		}
	}()
	left, retired := 2, false
	retire := func() {
		if !retired && left == 2 {
			every(max(j.quiet/looksEach, time.Millisecond))
		}
		retired = true
	}
	for left > 0 {
		select {
		case w := <-j.ended:
			left--
			if w.err != nil {
				j.result.Err = w.err
				return
			}
			if left == 1 {
				every(max(j.halfOpen/looksEach, time.Millisecond))
			}
		case <-j.ctx.Done():
			j.result.Err = fmt.Errorf("relay: cut: %w", context.Cause(j.ctx))
			return
		case <-j.either:
			j.either = nil
			retire()
		case <-j.or:
			j.or = nil
			retire()
		case <-looks:
			quiet := watch.look()
			if left == 1 && quiet >= j.halfOpen {
				j.result.Err = ErrHalfOpen
				return
			}
			if left == 2 && retired && quiet >= j.enough() {
				j.result.Err = ErrRetired
				return
			}
		}
	}
}

// enough is how long a retired Join must be quiet.
func (j *joint) enough() time.Duration {
	if j.spoke.Load() == int32(A) { // it waits for an answer
		return patience * j.quiet
	}
	return j.quiet
}

// looksEach is how often it is looked whether bytes have moved, in the time that
// silence may take.
const looksEach = 8

// A silence is how long nothing has moved. It compares the counters now and then,
// so that who copies needs no clock.
type silence struct {
	*joint
	step, quiet time.Duration
	seen        int64
}

func (s *silence) begin(step time.Duration) { s.step, s.quiet, s.seen = step, 0, s.moved() }

func (s *silence) moved() int64 { return s.out.moved.Load() + s.in.moved.Load() }

func (s *silence) look() time.Duration {
	s.quiet += s.step
	if now := s.moved(); now != s.seen {
		s.seen, s.quiet = now, 0
	}
	return s.quiet
}

// waitFor waits for the pumps, or so long.
func waitFor(pumps *sync.WaitGroup, d time.Duration) {
	done := make(chan struct{})
	go func() { pumps.Wait(); close(done) }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// closeWrite passes the end of a direction on.
func closeWrite(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("relay: a %T cannot end one direction alone: %w", c, errors.ErrUnsupported)
	}
	err := half.CloseWrite()
	if errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil // it is gone, which who reads from it finds out
}
