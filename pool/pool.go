// Package pool keeps the connections with the lowest slots a rover finds and
// lends them to any client with a dial hook.
//
//	rover ── Connections ──▶ Attach ──▶ keep the lowest Max ──▶ idle ──▶ Get ──▶ lent
//	                                        │                     ▲               │
//	                          a better offer replaces the worst   └── Release ────┘
//
// That is one half of Callosum's balance: servers give out their lowest free
// slot, clients keep their lowest and give up their highest. Put the pool
// under net/http ([Pool.Transport]), gRPC, a database driver or any other
// client ([Pool.DialContext]), and the fleet balances itself.
//
// Which idle connection is lent is chosen uniformly at random. To prefer the
// lowest slot would load the servers unevenly although connections are spread
// evenly.
package pool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/hot"
)

// DefaultMax is how many connections a pool keeps, unless WithMax says otherwise.
const DefaultMax = 100

// ErrClosed is what Get and DialContext return once the pool is closed.
var ErrClosed = errors.New("pool: closed")

// An Option configures New.
type Option func(*Pool) error

// WithMax sets how many connections the pool keeps, lent ones included: at
// least 1, default 100.
func WithMax(n int) Option {
	return func(p *Pool) error {
		if p.max = n; n < 1 {
			return fmt.Errorf("pool: max must be at least 1, got %d", n)
		}
		return nil
	}
}

// WithLogger sets where Attach logs, at Warn, what is wrong with its source.
// Default slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(p *Pool) error {
		if p.logger = l; l == nil {
			return errors.New("pool: logger must not be nil")
		}
		return nil
	}
}

// A Pool keeps at most Max connections, those with the lowest slots of all it
// was offered and that are still alive. It is made by New and ended by Close.
// All methods are safe for many goroutines.
type Pool struct {
	max    int
	logger *slog.Logger
	choice Choice // nil: the lowest slots
	opened opened // by Open

	changes *hot.Subject // of Change
	moves   *hot.Subject // of Change, without loans
	watched atomic.Bool  // Changes has been called
	moved   atomic.Bool  // Moves has
	waits   sync.Pool    // of *wait; not global, for a channel made in a test's bubble stays there
	poller  poller
	closing sync.Once
	open    context.Context // ends with Close
	shut    context.CancelFunc
	feeding sync.WaitGroup // Attach's goroutines; added to under mu while not closed

	// mu guards what follows and the entries' state. No socket is touched and
	// nothing waits under it. Taken after the poller's lock; before the policy's,
	// which its choice takes, and before changes' own.
	mu      sync.Mutex
	closed  bool
	kept    shelf
	idle    []*entry
	waiting queue // empty unless idle is
	holders []holder
	blank   []Conn
	stats   Stats // the counters; the rest is filled in when asked
}

// New makes an empty pool. An error names the option and what is wrong with
// its value.
func New(opts ...Option) (*Pool, error) {
	p, err := configured(opts)
	if err == nil && p.opened.given != "" {
		return nil, fmt.Errorf("pool: %s is an option of Open, not of New", p.opened.given)
	}
	return p, err
}

func configured(opts []Option) (*Pool, error) {
	p := &Pool{max: DefaultMax, logger: slog.Default()}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("pool: option %d of %d is nil", i+1, len(opts))
		}
		if err := opt(p); err != nil {
			return nil, err
		}
	}
	p.kept.viewed = p.choice != nil
	p.changes, p.moves = hot.NewSubject(hot.WithGrowingQueue()), hot.NewSubject(hot.WithGrowingQueue())
	p.waits.New = func() any { return &wait{lent: make(chan *Conn, 1)} }
	p.open, p.shut = context.WithCancel(context.Background())
	return p, nil
}

// Get lends a connection. It waits, in order of arrival, until one is free;
// the error is ErrClosed, or ctx's when that ends first.
func (p *Pool) Get(ctx context.Context) (*Conn, error) {
	w, c, err := p.join(ctx, nil)
	if w == nil {
		return c, err
	}
	p.claim(nil)
	select {
	case c = <-w.lent:
	case <-ctx.Done():
		p.quit(w, true, ctx.Err())
		return nil, ctx.Err()
	}
	p.quit(w, false, nil)
	if c == nil {
		return nil, ErrClosed
	}
	return c, nil
}

// join lends a connection, or has the caller wait for one until it quits.
func (p *Pool) join(ctx context.Context, h holder) (*wait, *Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, ErrClosed
	}
	if c := p.take(); c != nil {
		return nil, c, nil
	}
	w := p.waits.Get().(*wait)
	p.waiting.push(w)
	w.since, w.holder = time.Time{}, h
	if p.heard() {
		w.since = time.Now()
		p.emit(Change{Kind: Waiting})
	}
	return w, nil, nil
}

// quit ends a wait. expects: nothing has been received yet.
func (p *Pool) quit(w *wait, expects bool, cause error) {
	if expects {
		p.mu.Lock()
		left := p.waiting.remove(w)
		if left {
			p.satisfied(w, cause)
		}
		p.mu.Unlock()
		if !left { // one was lent meanwhile, or the pool closed
			if c := <-w.lent; c != nil {
				c.Release()
			}
		}
	}
	p.waits.Put(w)
}

// TryGet lends a connection if one is idle. It never waits.
func (p *Pool) TryGet() (*Conn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.take()
	return c, c != nil
}

// DialContext is Get for whoever wants a dial function: http.Transport's
// DialContext, grpc.WithContextDialer, a database driver. Network and address
// are ignored, the pool decides. What it returns is a *Conn; clients that dial
// close what they dialed, which takes it from the pool for good.
func (p *Pool) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := p.Get(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// take lends one of the idle, nil if there is none.
func (p *Pool) take() *Conn {
	if len(p.idle) == 0 {
		return nil
	}
	e := p.idle[rand.IntN(len(p.idle))]
	p.unshelve(e)
	return p.lend(e, 0)
}

// put lends e to who has waited longest, or lays it with the idle.
func (p *Pool) put(e *entry) {
	if w := p.waiting.pop(); w != nil {
		w.lent <- p.lend(e, p.satisfied(w, nil))
		return
	}
	e.spot = len(p.idle)
	p.idle = append(p.idle, e)
}

// satisfied emits that w waits no longer and returns how long it did.
func (p *Pool) satisfied(w *wait, cause error) (took time.Duration) {
	if !w.since.IsZero() {
		took = time.Since(w.since)
	}
	if p.heard() {
		p.emit(Change{Kind: Satisfied, Took: took, Cause: cause})
	}
	return took
}

// drop takes e out of the pool. home: it is not lent, so the caller must close
// it; one that is lent closes when it comes back.
func (p *Pool) drop(e *entry) (home bool) {
	p.kept.remove(e)
	if e.spot < 0 {
		p.stats.Leaving++
		return false
	}
	p.unshelve(e)
	return true
}

// expel drops e, which the pool wants no more, and counts it. What it returns,
// which may be nil, is to be called without the lock.
func (p *Pool) expel(why Change, e *entry, count *int) (finish func()) {
	*count++
	p.out(why, e)
	if p.drop(e) {
		return func() { e.close() }
	}
	return e.replace()
}

// lose takes e out because the other side is gone. The caller must close it if
// the answer is true.
func (p *Pool) lose(e *entry) (home bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.dead = true
	if !e.kept { // not kept yet, or no longer
		return false
	}
	p.stats.Lost++
	p.out(Change{Kind: Lost}, e)
	return p.drop(e)
}

// Close ends the pool: idle connections close, lent ones when they come back,
// and whoever waits gets ErrClosed. It returns when every Attach has ended; a
// pool of Open stops its rover first. Call it as often as you like.
func (p *Pool) Close() {
	p.closing.Do(func() {
		p.opened.stop()
		for _, finish := range p.empty() {
			finish()
		}
		p.shut()
		p.poller.close()
		p.changes.Complete()
		p.moves.Complete()
		p.feeding.Wait()
		p.opened.wait()
	})
}

// empty drops everything and returns what is to be done without the lock.
func (p *Pool) empty() (finish []func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for n := len(p.kept.entries); n > 0; n-- {
		e := p.kept.entries[n-1]
		if f := p.expel(Change{Kind: Closed, Cause: ErrClosed}, e, &p.stats.Closed); f != nil {
			finish = append(finish, f)
		}
	}
	for w := p.waiting.pop(); w != nil; w = p.waiting.pop() {
		p.satisfied(w, ErrClosed)
		w.lent <- nil
	}
	return finish
}
