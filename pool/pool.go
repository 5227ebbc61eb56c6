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
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
)

// DefaultMax is how many connections a pool keeps, unless WithMax says otherwise.
const DefaultMax = 100

// ErrClosed is what Get and its like return once the pool is closed.
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
	max        int
	logger     *slog.Logger
	choice     Choice // nil: the lowest slots
	reuse      func(*Conn) bool
	ready      func(context.Context, net.Conn) (net.Conn, error)
	idleMin    int
	idleMax    int // 0: as many as Max has room for
	maxAge     time.Duration
	maxSockets int
	drainGrace time.Duration
	opened     opened // by Open

	changes *hot.Subject // of Change
	moves   *hot.Subject // of Change, without loans
	watched atomic.Bool  // Changes has been called
	moved   atomic.Bool  // Moves has
	waits   sync.Pool    // of *wait; not global, for a channel made in a test's bubble stays there
	poller  poller
	reasons reasons
	closing sync.Once
	open    context.Context // ends with Close
	shut    context.CancelFunc
	feeding sync.WaitGroup // the pool's goroutines; added to under mu while not closed

	// mu guards what follows and the entries' state. No socket is touched and
	// nothing waits under it. Taken after the poller's lock; before the policy's,
	// which its choice takes, and before changes' own.
	mu          sync.Mutex
	closed      bool
	kept        shelf
	trials      map[*entry]struct{} // lent like those kept, and not kept
	idle        []*entry
	dice        rand.PCG          // which of them is lent
	idleTrials  int               // of these
	readying    int               // are being made ready
	waiting     queue             // empty unless idle is
	named       map[string]*queue // who waits for one server, by id
	standings   map[who]*standing // of servers that have failed
	sets        []rover.SetChange // the last ones, oldest first
	emptySince  time.Time         // if nothing is kept
	waitedSince time.Time         // if somebody waits
	wanting     int               // what the pool wanted when it last said so
	holders     []holder
	blank       []Conn
	stats       Stats // the counters; the rest is filled in when asked
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
	if err := p.checkSockets(); err != nil {
		return nil, err
	}
	p.kept.viewed = p.choice != nil
	p.emptySince = time.Now()
	p.dice.Seed(rand.Uint64(), rand.Uint64())
	p.changes, p.moves = hot.NewSubject(hot.WithGrowingQueue()), hot.NewSubject(hot.WithGrowingQueue())
	p.waits.New = func() any { return &wait{lent: make(chan *Conn, 1)} }
	p.open, p.shut = context.WithCancel(context.Background())
	return p, nil
}

// Max is how many connections the pool keeps at most.
func (p *Pool) Max() int { return p.max }

// drop takes e out of the pool, or ends its trial. home: it is not lent, so the
// caller must close it; one that is lent closes when it comes back.
func (p *Pool) drop(e *entry) (home bool) {
	if e.kept {
		p.kept.remove(e)
		if len(p.kept.entries) == 0 {
			p.emptySince = time.Now()
		}
	} else {
		p.stats.Declined++ // it was offered, and is not kept after all
	}
	home = e.spot >= 0
	if home {
		p.unshelve(e)
	} else {
		p.stats.Leaving++
	}
	p.endTrial(e)
	e.stopTimer()
	p.resize()
	return home
}

// expel drops e, which the pool wants no more, and counts it. What it returns,
// which may be nil, is to be called without the lock.
func (p *Pool) expel(why Change, e *entry, count *int) (finish func()) {
	*count++
	p.count(why.Cause)
	p.out(why, e)
	if p.drop(e) {
		return e.shut
	}
	return e.replace()
}

// end drops e, which comes back and is not to be lent again; why is nil if its
// borrower has closed it, and no Cause if the other side has.
func (p *Pool) end(e *entry, why error) {
	kind, count := Closed, &p.stats.Closed
	if why != nil && (!p.count(why) || errors.Is(why, Failed)) {
		kind, count = Lost, &p.stats.Lost
	}
	if e.kept {
		*count++
		p.out(Change{Kind: kind, Took: e.loan(), Cause: why}, e)
	}
	p.drop(e)
}

// lose takes e out because the other side is gone; why, if that is known. The
// caller must close it if the answer is true.
func (p *Pool) lose(e *entry, why error) (home bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.dead = true
	if !e.in() { // not kept yet, or no longer
		return false
	}
	trial := e.trial
	if e.kept {
		p.stats.Lost++
		p.out(Change{Kind: Lost, Cause: why}, e)
	}
	home = p.drop(e)
	if !e.apart.Load() && (trial || !e.use.proved.Load() && time.Since(e.since) < young) {
		p.diedYoung(e, trial)
	}
	return home
}

// judge learns from a loan that is over how its server is.
func (p *Pool) judge(e *entry, why error) (finish func()) {
	u := &e.use
	switch {
	case Cause(u.spoiled.Load()) == Late && u.owed.Load():
		return p.failure(e, Late)
	case len(p.standings) > 0 && why == nil && u.answered.Load(): // what is owed may be the answer to a goodbye, for which nobody waits
		return p.success(e)
	}
	return nil
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
	for e := range p.trials {
		if p.drop(e) {
			finish = append(finish, e.shut)
		} else if f := e.replace(); f != nil {
			finish = append(finish, f)
		}
	}
	for _, q := range append([]*queue{&p.waiting}, slices.Collect(maps.Values(p.named))...) {
		for w := q.pop(); w != nil; w = q.pop() {
			p.satisfied(w, ErrClosed)
			w.lent <- nil
		}
	}
	return finish
}
