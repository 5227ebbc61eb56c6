// Package rover roams a changing set of servers and turns what it finds into
// event streams.
//
// Every interval it dials one server of the set. The server greets it with one
// line, the lowest slot number it has free ("13\r\n"), and the rover offers
// slot and socket to whoever subscribed. Clients that keep their lowest slots
// and give up their highest balance a fleet by themselves. The protocol is
// Callosum, an open form of Indeed's Boxcar.
//
// A rover is a pipeline on RxGo v2:
//
//	ticks ──┐
//	        ├─ WithLatestFrom ── MergeMap(dial) ── outcomes ─┬─ Connections   (filter by slot …)
//	servers ┘                                                ├─ Unreachable
//	                                                         └─ Errors
//
// Each attempt is one event on one of the three streams. They are hot: publishing
// waits for nobody, and every subscriber has a queue of its own that overflows
// without harm to others. Subscribing is synchronous: subscribe, then Start.
//
// A *Connection is an offer, to Keep or to Decline. What nobody keeps is
// closed: at once when everyone has declined, else after the KeepTimeout.
//
// Callbacks run on their subscriber's goroutine. A panic in one ends the process,
// like any goroutine's; in a loop over Events it unwinds to the caller in order.
package rover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/due"
	"github.com/callosum-go/rover/internal/expiry"
	"github.com/callosum-go/rover/internal/guard"
	"github.com/callosum-go/rover/internal/offer"
	"github.com/callosum-go/rover/internal/roster"
	"github.com/reactivex/rxgo/v2"
)

// What options default to.
const (
	DefaultInterval    = time.Second     // between attempts
	DefaultDialTimeout = 5 * time.Second // dial and slot line together
	DefaultKeepTimeout = 5 * time.Second // an unclaimed connection's life
	DefaultMaxInFlight = 16              // attempts at once
)

var (
	// ErrNoServers is told on Errors by a tick that found the set empty.
	ErrNoServers = errors.New("rover: no servers to dial")
	// ErrBusy is told on Errors by a tick while MaxInFlight attempts are running.
	ErrBusy = errors.New("rover: too many attempts in flight")
	// ErrStarted is what a second Start returns, ErrStopped what it returns after Stop.
	ErrStarted, ErrStopped = errors.New("rover: stream is started"), errors.New("rover: stream is stopped")
)

// An Option configures New.
type Option func(*config) error

type config struct {
	interval, dialTimeout, keepTimeout time.Duration

	maxInFlight   int
	servers       map[string]Server
	source, ticks rxgo.Observable
	pick          func(n int) int
	dialer        Dialer
	logger        *slog.Logger
}

// WithInterval sets the time between attempts: more than 0, default 1 s.
func WithInterval(d time.Duration) Option {
	return func(c *config) error { return positive(&c.interval, "interval", d) }
}

// WithDialTimeout sets how long dial and slot line may take together: more
// than 0, default 5 s.
func WithDialTimeout(d time.Duration) Option {
	return func(c *config) error { return positive(&c.dialTimeout, "dial timeout", d) }
}

// WithKeepTimeout sets how long a connection stays on offer: more than 0,
// default 5 s.
func WithKeepTimeout(d time.Duration) Option {
	return func(c *config) error { return positive(&c.keepTimeout, "keep timeout", d) }
}

// WithMaxInFlight sets how many attempts may run at once: at least 1, default
// 16. A tick beyond is ErrBusy.
func WithMaxInFlight(n int) Option {
	return func(c *config) error {
		if c.maxInFlight = n; n < 1 {
			return fmt.Errorf("rover: max in flight must be at least 1, got %d", n)
		}
		return nil
	}
}

// WithServers sets the first set of servers by id. It is copied. Default none.
func WithServers(servers map[string]Server) Option {
	return func(c *config) error {
		c.servers = maps.Clone(servers)
		return checkAll(servers)
	}
}

// WithServerSets subscribes to a source of sets at Start: each item, a
// map[string]Server, replaces the whole set. A bad item or an error is told on
// Errors; it, and the source's end, leave the last set in force. A source that
// emits from a goroutine, as rxgo.Just does, may come after the first tick.
func WithServerSets(sets rxgo.Observable) Option {
	return func(c *config) error { return given(&c.source, "server sets", sets) }
}

// WithTicks replaces the interval, at Start: each item is one attempt. When it
// ends, no more attempts are made.
func WithTicks(ticks rxgo.Observable) Option {
	return func(c *config) error { return given(&c.ticks, "ticks", ticks) }
}

// WithPick sets how one of n servers is chosen, by a number from 0 to n-1, which
// is the same server as long as the set stays as it is. It is not called
// concurrently. Default rand.IntN of math/rand/v2.
func WithPick(pick func(n int) int) Option {
	return func(c *config) error {
		if c.pick = pick; pick == nil {
			return errors.New("rover: pick must not be nil")
		}
		return nil
	}
}

// WithDialer sets what opens the connections. Default &net.Dialer{}, but for
// its keep-alive probes, which begin with Keep.
func WithDialer(d Dialer) Option {
	return func(c *config) error { return given(&c.dialer, "dialer", d) }
}

// WithLogger sets where errors are logged that nobody listens to, at Warn, and
// each attempt, at Debug. Default slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error { return given(&c.logger, "logger", l) }
}

func positive(to *time.Duration, name string, d time.Duration) error {
	if *to = d; d <= 0 {
		return fmt.Errorf("rover: %s must be positive, got %v", name, d)
	}
	return nil
}

func given[T comparable](to *T, name string, v T) error {
	var none T
	if *to = v; v == none {
		return fmt.Errorf("rover: %s must not be nil", name)
	}
	return nil
}

// A Stream is one rover: made by New, it runs from Start to Stop, once. Its
// methods are safe for many goroutines.
type Stream struct {
	config

	roster      *roster.Roster[target]
	connections *hot.Subject // of *offering; each subscriber sees its own *Connection
	unreachable *hot.Subject
	errors      *hot.Subject
	attempts    *expiry.Queue[*due.Context] // under way, until their dial timeout
	offers      *expiry.Queue[*offering]    // open, until their keep timeout
	over        func(*offering, offer.Fate) // of each offer
	ledger      ledger

	mu      sync.Mutex
	stop    sync.Once
	stopped bool
	ctx     context.Context // nil: not started
	cancel  func()
	running sync.WaitGroup // the pipeline, its dials, and the set source
}

// New makes a rover that is not yet started. With no options it has no
// servers: give it some, then or later. An error names the option and its value.
func New(opts ...Option) (*Stream, error) {
	s := &Stream{config: config{
		interval: DefaultInterval, dialTimeout: DefaultDialTimeout, keepTimeout: DefaultKeepTimeout,
		maxInFlight: DefaultMaxInFlight, pick: rand.IntN, dialer: defaultDialer, logger: slog.Default(),
	}}
	for _, opt := range opts {
		if err := opt(&s.config); err != nil {
			return nil, err
		}
	}
	if s.ticks == nil {
		s.ticks = Interval(s.interval)
	}
	s.logger = guard.Logger(s.logger, func(v any) { s.errors.Publish(&PanicError{"logger", v, debug.Stack()}) })
	s.over = func(o *offering, fate offer.Fate) {
		s.ledger.closed(fate) // before Remove: when Stop finds no offer left, all are counted
		s.offers.Remove(&o.Place)
	}
	s.roster, s.servers = roster.New(targets(s.servers)), nil
	s.connections = hot.NewSubject(
		hot.WithEach(func(v any) any { return share(v.(*offering)) }),
		hot.WithReplay(func(v any) bool { return v.(*offering).Fate() == offer.Open }),
		hot.WithDropped(lose))
	s.unreachable = hot.NewSubject()
	s.errors = hot.NewSubject()
	s.attempts = expiry.New(s.dialTimeout, func(a *due.Context) { a.Abort(context.DeadlineExceeded) })
	s.offers = expiry.New(s.keepTimeout, func(o *offering) { o.End(offer.Expired) })
	return s, nil
}

// rove is the whole rover: it subscribes to ticks and sets and returns what
// roves over them. That returns when ctx has ended, and every dial with it.
func (s *Stream) rove(ctx context.Context) (run func()) {
	targets := WithLatestFrom(s.ticks, s.roster.Sets(), s.aim) // *attempt, or the error why there is none
	attempts := hot.Items(ctx, targets.Filter(s.aimed))
	return func() {
		concurrently(ctx, attempts, 0, s.attempt) // MergeMap(dial), without an Observable for each
	}
}

// aim makes a tick and the latest set an attempt at one of its servers, or an
// error. That is a value: as an Item.E it would end the pipeline.
func (s *Stream) aim(_ context.Context, _, latest any) (any, error) {
	if s.ledger.busy(s.maxInFlight) {
		return ErrBusy, nil
	}
	to, err := s.choose(latest.(*roster.Set[target]))
	switch {
	case err == roster.ErrEmpty:
		s.ledger.add(func(n *Stats) { n.NoServers++ })
		return ErrNoServers, nil
	case err != nil:
		return err, nil
	}
	s.ledger.add(func(n *Stats) { n.Attempts++; n.InFlight++ })
	return newAttempt(s.ctx, to, s.dialer), nil
}

// aimed lets attempts pass, and tells why there is none.
func (s *Stream) aimed(v any) bool {
	if err, failed := v.(error); failed {
		s.split(err)
		return false
	}
	return true
}

func (s *Stream) choose(servers *roster.Set[target]) (_ target, err error) {
	defer guarded("pick", &err)
	return servers.Pick(s.pick)
}

// attempt makes one attempt and puts its outcome on its stream.
func (s *Stream) attempt(item rxgo.Item) {
	if item.Error() {
		s.split(fmt.Errorf("rover: ticks failed, there will be no more: %w", item.E))
		return
	}
	a := item.V.(*attempt)
	if !s.attempts.Add(&a.Place) {
		s.ledger.settle(nil) // stopped
		return
	}
	a.outcome = errGone
	defer s.settle(a) // also when the dialer ends its goroutine
	a.outcome = a.run(s.dialer, s.attempts)
}

func (s *Stream) settle(a *attempt) {
	s.ledger.settle(a.outcome)
	if a.outcome != nil && s.logger.Enabled(a, slog.LevelDebug) {
		s.logger.Debug("rover: attempt", "id", a.id, "server", a.addr, "outcome", fmt.Sprint(a.outcome))
	}
	s.split(a.outcome)
}

// split puts an outcome on its stream.
func (s *Stream) split(outcome any) {
	switch o := outcome.(type) {
	case *offering:
		o.Over = s.over
		s.offers.Add(&o.Place)
		s.connections.Publish(o)
		o.Leave(false)
	case *UnreachableError:
		s.unreachable.Publish(o)
	case error:
		if s.errors.Publish(o) == 0 {
			s.logger.Warn("rover: nobody took this error", "error", o)
		}
	}
}

// AddServer adds a server to the set in force, in the place of one with the
// same id. The next tick may dial it. The error says what is wrong with the
// server.
func (s *Stream) AddServer(id string, server Server) error {
	if err := server.check(id); err != nil {
		return err
	}
	s.roster.Set().Add(id, newTarget(id, server))
	return nil
}

// DropServer takes a server out of the set in force; false: no such id.
// Connections that were made stay as they are.
func (s *Stream) DropServer(id string) bool { return s.roster.Set().Drop(id) }

// Servers returns a copy of the set in force.
func (s *Stream) Servers() map[string]Server {
	servers := make(map[string]Server)
	for id, to := range s.roster.Set().All() {
		servers[id] = to.server
	}
	return servers
}

// Connections emits a *Connection for each slot line that was read. A
// subscriber that comes while an offer is still open gets it first. A queue
// that overflows declines, and so does a subscriber that leaves.
func (s *Stream) Connections() rxgo.Observable { return s.connections.Observable() }

// Unreachable emits an *UnreachableError for each server that did not answer.
func (s *Stream) Unreachable() rxgo.Observable { return s.unreachable.Observable() }

// Errors emits every other error, as a value (Item.V): *ProtocolError,
// ErrNoServers, ErrBusy, what wraps ErrResources, *PanicError, a bad set, failed
// ticks. What nobody listens to is logged at Warn.
func (s *Stream) Errors() rxgo.Observable { return s.errors.Observable() }

// Start begins to rove: the first attempt at once, then one every interval.
// The end of ctx is a Stop. The error is ErrStarted or ErrStopped.
func (s *Stream) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	if s.ctx != nil {
		return ErrStarted
	}
	stopWatching := context.AfterFunc(ctx, s.Stop)
	ctx, cancel := context.WithCancel(ctx)
	s.ctx, s.cancel = ctx, func() { stopWatching(); cancel() }
	if s.source != nil {
		sets := hot.Newest(ctx, s.source)
		s.adopt(sets, len(sets)) // what is there already comes before the first tick
		s.running.Go(func() { s.adopt(sets, math.MaxInt) })
	}
	s.running.Go(s.rove(ctx))
	return nil
}

// Stop ends the roving and completes the streams. It returns when every tick
// and dial has ended; attempts under way tell nothing, open offers are
// declined. It does not wait for subscribers: their goroutines end when their
// callbacks return. It waits for Dialer, Pick and Logger, and for the stages of
// ticks and server sets: do not call it there.
func (s *Stream) Stop() {
	s.stop.Do(func() {
		s.mu.Lock()
		s.stopped = true
		if s.cancel != nil {
			s.cancel()
		}
		s.mu.Unlock()
		for _, a := range s.attempts.Close() {
			a.Abort(context.Canceled)
		}
		s.running.Wait()
		for _, o := range s.offers.Close() {
			o.End(offer.Declined)
		}
		s.connections.Complete()
		s.unreachable.Complete()
		s.errors.Complete()
	})
}

// Stats returns the counters so far, all of one moment.
func (s *Stream) Stats() Stats {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.stats
}
