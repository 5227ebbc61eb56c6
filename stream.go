// Package rover roams a changing set of servers and turns what it finds into
// event streams.
//
// Every interval it dials one server of the set. The server answers with one
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

// This file is longer than others: options, pipeline, the set in force, Start and
// Stop are one thing to read, in that order, and the root has four files.

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/expiry"
	"github.com/callosum-go/rover/internal/offer"
	"github.com/callosum-go/rover/internal/repeat"
	"github.com/callosum-go/rover/internal/set"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/internal/worker"
	"github.com/reactivex/rxgo/v2"
)

// What options default to.
const (
	DefaultInterval    = time.Second     // between attempts
	DefaultDialTimeout = 5 * time.Second // dial and slot line together
	DefaultKeepTimeout = 5 * time.Second // an unanswered offer's life
	DefaultMaxInFlight = 16              // attempts at once
)

// dialerGrace is how long a dialer may take to return once its time is over.
const dialerGrace = 100 * time.Millisecond

var (
	// ErrNoServers is on Errors once a tick has found the set empty, and not again
	// until there was a server. What wraps it names the server of a To that is
	// not in the set.
	ErrNoServers = errors.New("rover: no servers to dial")
	// ErrBusy is on Errors for each tick while MaxInFlight attempts are running.
	ErrBusy = errors.New("rover: too many attempts in flight")
	// ErrStarted is what a second Start returns.
	ErrStarted = errors.New("rover: stream is started")
	// ErrStopped is what Start returns after Stop.
	ErrStopped = errors.New("rover: stream is stopped")
)

// An Option configures New.
type Option func(*config) error

type config struct {
	interval, dialTimeout, keepTimeout time.Duration

	maxInFlight   int
	servers       map[string]Server
	source, ticks rxgo.Observable
	pick          func(n int) int // nil: rand.IntN
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

// WithKeepTimeout sets how long a connection stays on offer, from when it was
// made and anew from when a subscriber got it: more than 0, default 5 s.
func WithKeepTimeout(d time.Duration) Option {
	return func(c *config) error { return positive(&c.keepTimeout, "keep timeout", d) }
}

// WithMaxInFlight sets how many attempts may run at once: at least 1, default
// 16. A tick beyond is skipped with ErrBusy.
func WithMaxInFlight(n int) Option {
	return func(c *config) error {
		c.maxInFlight = n
		if n < 1 {
			return fmt.Errorf("rover: max in flight must be at least 1, got %d", n)
		}
		return nil
	}
}

// WithServers sets the first set of servers by id, none of which may be empty.
// It is copied. Default none. The error names all that is wrong.
func WithServers(servers map[string]Server) Option {
	servers = maps.Clone(servers)
	return func(c *config) error {
		c.servers = servers
		return checkServers(servers)
	}
}

// WithServerSets subscribes to a source of sets at Start: each item, a
// map[string]Server, is a SetServers. What is wrong with one, or an error, is on
// Errors; that, and the source's end, leave the last set in force. Ticks before
// the first set are made up for by one attempt as soon as it comes.
func WithServerSets(sets rxgo.Observable) Option {
	return func(c *config) error { return given(&c.source, "server sets", sets) }
}

// WithTicks replaces the interval, at Start: each item is one attempt, at a
// server of Pick's, or at the one that To names. None is missed. When ticks
// end, no more attempts are made.
func WithTicks(ticks rxgo.Observable) Option {
	return func(c *config) error { return given(&c.ticks, "ticks", ticks) }
}

// To is a tick that dials the server with this id. If the set has none, its
// Outcome's error wraps ErrNoServers and names the id.
func To(id string) any { return to(id) }

type to string

func (id to) String() string { return fmt.Sprintf("to %q", string(id)) }

// WithPick sets how one of n servers is chosen, by a number from 0 to n-1, which
// is the same server as long as the set stays as it is. It is not called
// concurrently. Default rand.IntN of math/rand/v2.
func WithPick(pick func(n int) int) Option {
	return func(c *config) error {
		c.pick = pick
		if pick == nil {
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
// each attempt, at Debug. An error that comes again and again is logged at most
// once a minute, with its count. Default slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error { return given(&c.logger, "logger", l) }
}

func positive(option *time.Duration, name string, d time.Duration) error {
	*option = d
	if d <= 0 {
		return fmt.Errorf("rover: %s must be positive, got %v", name, d)
	}
	return nil
}

func given[T any](option *T, name string, v T) error {
	*option = v
	value := reflect.ValueOf(v)
	switch value.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan, reflect.Slice:
		if !value.IsNil() {
			return nil
		}
	case reflect.Invalid:
	default:
		return nil
	}
	return fmt.Errorf("rover: %s must not be nil", name)
}

// A Stream is one rover: made by New, it runs from Start to Stop, once. Its
// methods are safe for many goroutines.
type Stream struct {
	config
	tally

	servers     set.Set[Server] // in force; written under the lock of sets
	inForce     *hot.Subject    // of &servers, once: what it points to changes
	sets        *hot.Subject    // of SetChange
	outcomes    *hot.Subject    // of Outcome
	heard       atomic.Bool     // Outcomes has been called
	connections *hot.Subject    // of *offering; each subscriber sees its own *Connection
	unreachable *hot.Subject
	errors      *hot.Subject

	workers  *worker.Group[*attempt]
	attempts *expiry.Queue[*attempt] // under way, until their dial timeout
	late     *expiry.Queue[*attempt] // past it, until their dialers' grace is over
	offers   open                    // until their keep timeout
	warned   atomic.Bool             // that nobody ever answers offers
	logged   repeat.Log

	aiming  chan struct{}     // a lock: a waiter in a bubble is durably blocked, as Pick may be
	owed    Outcome           // of the last tick that found no server, as long as none comes; under aiming
	owing   atomic.Bool       // there is one; written under aiming
	paying  bool              // a tick that was owed is being made up for; under aiming
	empty   bool              // ErrNoServers was reported; under aiming
	addrs   map[Server]string // of those dialed before; under aiming
	waiting atomic.Bool       // for the first set of the source

	asked      chan int // of the goroutine that calls the user's Pick
	picked     chan int // its answers, which it never waits to give
	pickFailed chan *PanicError

	mu      chan struct{} // a lock, of what follows: Start subscribes under it
	stopped bool
	ctx     context.Context // nil: not started
	cancel  func()
	running sync.WaitGroup // the pipeline and the set source
	done    chan struct{}  // closed when Stop is over
}

// New makes a rover that is not yet started. With no options it has no
// servers: give it some, then or later. An error names the option and its value.
func New(opts ...Option) (*Stream, error) {
	s := &Stream{config: config{
		interval: DefaultInterval, dialTimeout: DefaultDialTimeout, keepTimeout: DefaultKeepTimeout,
		maxInFlight: DefaultMaxInFlight, dialer: defaultDialer, logger: slog.Default(),
	}}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("rover: option %d of %d is nil", i+1, len(opts))
		}
		if err := opt(&s.config); err != nil {
			return nil, err
		}
	}
	if s.ticks == nil {
		s.ticks = interval(s.interval, s.missed, nil)
	}
	s.aiming, s.mu, s.done = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	s.addrs = make(map[Server]string)
	s.asked, s.picked, s.pickFailed = make(chan int), make(chan int, 1), make(chan *PanicError, 1)
	s.inForce = hot.NewSubject(hot.WithQueue(1), hot.WithLatest())
	s.sets = hot.NewSubject(hot.WithGrowingQueue(), hot.WithFirst(s.wholeSet))
	s.outcomes = hot.NewSubject(hot.WithGrowingQueue())
	s.connections = hot.NewSubject(append([]hot.SubjectOption{
		hot.WithOwner(s), // a pool finds the rest of the rover by it
		hot.WithEach(shared),
		hot.WithFirst(s.offers.newestFirst)}, offerRules...)...)
	s.unreachable = hot.NewSubject(hot.WithOverflow(hot.DropOldest), hot.WithOverflowed(s.undelivered))
	s.errors = hot.NewSubject(hot.WithOverflow(hot.DropOldest), hot.WithOverflowed(s.undelivered))
	s.workers = worker.New(s.attempt)
	s.attempts = expiry.New(s.dialTimeout, s.timeout)
	s.late = expiry.New(dialerGrace, func(a *attempt) { s.abandon(a) })
	s.offers.queue, s.offers.tally = expiry.New(s.keepTimeout, s.expire), &s.tally
	s.inForce.Publish(&s.servers)
	_ = s.SetServers(s.config.servers) // checked by WithServers
	return s, nil
}

// rove is the whole rover: it subscribes to ticks and sets and returns what
// roves over them, until ctx or the ticks end.
func (s *Stream) rove(ctx context.Context) (run func()) {
	targets := WithLatestFrom(hot.Lossless(s.ticks), s.inForce.Observable(), s.aim) // *attempt, or skipped
	items := hot.Items(ctx, targets)
	return func() {
		guarded("ticks", func() {
			for item := range items { // MergeMap(dial), without an Observable for each
				s.dial(item)
			}
		}, func(p *PanicError) { s.report(p) })
	}
}

// A skipped tick has made no attempt.
type skipped struct {
	outcome Outcome
	over    bool  // the outcome is to be emitted: not of a tick that is owed
	report  error // nil: nothing to say
}

// aim makes a tick and the set in force an attempt at one of its servers, or
// skips it. That is a value: an Item.E would end the pipeline.
func (s *Stream) aim(_ context.Context, tick, servers any) (any, error) {
	s.aiming <- struct{}{}
	v := s.target(tick, servers.(*set.Set[Server]))
	<-s.aiming
	s.pay() // for who came meanwhile
	return v, nil
}

func (s *Stream) target(tick any, servers *set.Set[Server]) any {
	if s.full() {
		if _, aimed := tick.(to); !aimed && servers.Len() == 0 {
			return s.owe(tick, servers)
		}
		s.tick(func(n *Stats) { n.Busy++ })
		return skip(tick, ErrBusy)
	}
	chosen, err := s.choose(tick, servers)
	switch {
	case err == set.ErrEmpty:
		return s.owe(tick, servers)
	case errors.Is(err, ErrNoServers):
		s.tick(func(n *Stats) { n.NoServers++ })
		return skip(tick, err)
	case err != nil:
		s.tick(func(n *Stats) { n.BadPicks++ })
		return skip(tick, err)
	}
	s.empty = false
	s.tick(func(n *Stats) { n.Attempts++; n.InFlight++ })
	a := newAttempt(s.ctx, tick, chosen.Name, chosen.Value, s.dialer, s.dialTimeout)
	a.to = s.addr(chosen.Value)
	s.attempts.Add(&a.place, a, a.begun) // here, so that Shutdown sees all that is counted
	return a
}

// full says that MaxInFlight attempts are running. Only target adds to them,
// under aiming.
func (s *Stream) full() bool {
	s.counting.Lock()
	defer s.counting.Unlock()
	return s.stats.InFlight >= s.maxInFlight
}

// tick counts what became of a tick: of a new one, or of the one that was owed.
func (s *Stream) tick(change func(*Stats)) {
	s.counting.Lock()
	defer s.counting.Unlock()
	if s.paying {
		s.stats.Owed--
	} else {
		s.stats.Ticks++
	}
	s.paying = false
	change(&s.stats)
}

// addr is the server's Addr, made once for those that are dialed again and again.
func (s *Stream) addr(server Server) string {
	addr, known := s.addrs[server]
	if !known {
		if len(s.addrs) >= 1024 {
			clear(s.addrs)
		}
		addr = server.Addr()
		s.addrs[server] = addr
	}
	return addr
}

func skip(tick any, err error) skipped {
	return skipped{outcome: Outcome{Tick: tick, Err: err, Begun: time.Now()}, over: true, report: err}
}

// choose finds the tick's server.
func (s *Stream) choose(tick any, servers *set.Set[Server]) (chosen set.Entry[Server], err error) {
	if id, ok := tick.(to); ok {
		server, known := servers.Get(string(id))
		if !known {
			err = fmt.Errorf("%w: there is no %q in the set", ErrNoServers, string(id))
		}
		return set.Entry[Server]{Name: string(id), Value: server}, err
	}
	if s.pick == nil {
		return servers.Pick(rand.IntN)
	}
	var failed *PanicError
	chosen, err = servers.Pick(func(n int) int {
		select {
		case s.asked <- n:
		case <-s.ctx.Done(): // the attempt will not be made
			return 0
		}
		select {
		case i := <-s.picked:
			return i
		case p := <-s.pickFailed:
			failed = p
		case <-s.ctx.Done():
		}
		return 0
	})
	if failed != nil {
		return chosen, failed
	}
	return chosen, err
}

// picking calls the user's Pick, on a goroutine that Pick may end.
func (s *Stream) picking() {
	guarded("pick", func() {
		for {
			select {
			case n := <-s.asked:
				s.picked <- s.pick(n)
			case <-s.ctx.Done():
				return
			}
		}
	}, func(p *PanicError) {
		s.running.Go(s.picking)
		s.pickFailed <- p
	})
}

// owe remembers a tick that found no server. One attempt makes up for it as
// soon as a server comes; it is over when the next tick takes its place.
func (s *Stream) owe(tick any, servers *set.Set[Server]) any {
	early := s.waiting.Load() // before the look at the set, which comes before waiting ends
	was := s.owing.Swap(true)
	if servers.Len() > 0 { // whoever put one in may not have seen that it is owed
		s.owing.Store(was)
		return s.target(tick, servers)
	}
	out := skipped{outcome: s.owed, over: was}
	s.owed = Outcome{Tick: tick, Err: ErrNoServers, Begun: time.Now()}
	if was {
		s.tick(func(n *Stats) { n.NoServers++ })
		out.outcome.Took = time.Since(out.outcome.Begun)
	} else {
		s.tick(func(n *Stats) { n.Owed++ })
	}
	if !s.empty && (was || !early) {
		s.empty, out.report = true, ErrNoServers
	}
	return out
}

// pay makes the attempt that is owed, once there is a server. It does not wait
// for who holds aiming, and may be in the Pick that calls this: he pays.
func (s *Stream) pay() {
	for s.owing.Load() && s.servers.Len() > 0 {
		select {
		case s.aiming <- struct{}{}:
		default:
			return
		}
		v := s.owedTarget()
		if a, ok := v.(*attempt); ok {
			s.dial(rxgo.Of(a)) // still aiming: end waits for it
			v = nil
		}
		<-s.aiming
		if v != nil {
			s.dial(rxgo.Of(v))
		}
	}
}

func (s *Stream) owedTarget() any {
	if !s.owing.Swap(false) {
		return nil
	}
	tick := s.owed.Tick
	s.owed, s.paying = Outcome{}, true
	return s.target(tick, &s.servers)
}

// dial has a worker make an attempt, or emits why there is none.
func (s *Stream) dial(item rxgo.Item) {
	switch v := item.V.(type) {
	case *attempt:
		if !s.workers.Do(v) { // stopped
			s.settle(v, result{})
		}
	case skipped:
		if v.over {
			s.outcomes.Publish(v.outcome)
		}
		if v.report != nil {
			s.report(v.report)
		}
	default:
		s.report(fmt.Errorf("rover: ticks failed, there will be no more: %w", item.E))
	}
}

// attempt makes one attempt, on a worker's goroutine.
func (s *Stream) attempt(w *worker.Worker[*attempt], a *attempt) {
	a.worker.Store(w)
	r, returned := result{}, false
	defer func() {
		if !returned { // the dialer has ended its goroutine
			r = a.failed(&PanicError{"dialer", goexit, debug.Stack()})
		}
		if !s.settle(a, r) { // it was abandoned: nobody waits for this worker
			socket.Refuse(r.conn)
			w.Leave()
			return
		}
		s.debug(a, r)
	}()
	if s.ctx.Err() != nil {
		a.Abort(context.Canceled)
	}
	if !a.settled.Load() { // or abandoned before it began
		r = a.run(s.dialer)
	}
	returned = true
}

// timeout ends an attempt whose dial timeout is over.
func (s *Stream) timeout(a *attempt) {
	s.late.Add(new(expiry.Node[*attempt]), a, time.Now()) // first: Abort waits for a socket's Close
	a.Abort(context.DeadlineExceeded)
}

// abandon settles an attempt whose dialer does not return. False: it did.
func (s *Stream) abandon(a *attempt) bool {
	var r result
	if !a.cut() {
		r.err = a.blame(nil, 0, socket.Timeout(nil, nil))
	}
	if !s.settle(a, r) {
		return false
	}
	if w := a.worker.Load(); w != nil {
		w.Leave()
	}
	apart("logger", func() { s.debug(a, r) }, func(*PanicError) {})
	return true
}

// settle counts what became of an attempt and puts it on its stream. False: it
// was settled before.
func (s *Stream) settle(a *attempt, r result) bool {
	if a.settled.Swap(true) {
		return false
	}
	s.attempts.Remove(&a.place)
	cut := r.offer == nil && r.err == nil
	if server, listed := s.servers.Get(a.id); !cut && (!listed || server != a.server) {
		r = r.dropped()
	}
	if !cut && s.heard.Load() {
		s.outcomes.Publish(a.outcome(r)) // before the offer, whose socket may be gone at once
	}
	switch err := r.err.(type) {
	case nil:
		if cut {
			s.count(func(n *Stats) { n.InFlight--; n.Aborted++ })
			return true
		}
		s.count(func(n *Stats) { n.InFlight--; n.Connections++; n.Open++ })
		s.offers.show(r.offer, s.connections)
	case *UnreachableError:
		s.count(func(n *Stats) { n.InFlight--; n.Unreachable++ })
		s.unreachable.Publish(err)
	case *ProtocolError:
		s.count(func(n *Stats) { n.InFlight--; n.ProtocolErrors++ })
		s.report(err)
	case *LocalError, *PanicError:
		s.count(func(n *Stats) { n.InFlight--; n.Failures++ })
		s.report(err)
	default: // ErrDropped
		s.count(func(n *Stats) { n.InFlight--; n.Aborted++ })
	}
	return true
}

// expire ends an offer that nobody has answered in time.
func (s *Stream) expire(o *offering) {
	if o.End(offer.Expired) && !s.offers.answered.Load() && !s.warned.Swap(true) {
		s.log(slog.LevelWarn, "rover: an offer has expired, and nobody has kept or declined any: each holds a server's slot until then",
			"connection", o.connection.String(), "after", s.keepTimeout)
	}
}

// report puts an error on its stream, or in the log if nobody listens.
func (s *Stream) report(err error) {
	if s.errors.Publish(err) == 0 {
		s.warn(err)
	}
}

// undelivered is an event that a subscriber's full queue gave up.
func (s *Stream) undelivered(v any) {
	s.count(func(n *Stats) { n.Undelivered++ })
	switch err := v.(type) {
	case *UnreachableError: // is not logged
	case *PanicError:
		if err.In != "logger" { // which would be asked again, and again
			s.warn(err)
		}
	case error:
		s.warn(err)
	}
}

func (s *Stream) warn(err error) {
	args := []any{"error", err}
	times, now := s.logged.Happened(sameError(err))
	if times > 1 {
		args = append(args, "times", times)
	}
	if now {
		s.log(slog.LevelWarn, "rover: nobody took this error", args...)
	}
}

// log is for the pipeline's goroutine too, which a logger must not end.
func (s *Stream) log(level slog.Level, msg string, args ...any) {
	apart("logger", func() { s.logger.Log(context.Background(), level, msg, args...) }, func(p *PanicError) { s.errors.Publish(p) })
}

func (s *Stream) debug(a *attempt, r result) {
	guarded("logger", func() {
		if r.offer == nil && r.err == nil || !s.logger.Enabled(a.stream, slog.LevelDebug) {
			return
		}
		outcome := any(r.err)
		if r.err == nil {
			outcome = fmt.Sprint("slot ", r.offer.connection.Slot)
		}
		s.logger.Debug("rover: attempt", "id", a.id, "server", a.server, "outcome", outcome, "took", time.Since(a.begun))
	}, func(p *PanicError) { s.errors.Publish(p) })
}

// AddServer adds a server to the set in force, in the place of one with the
// same id, which must not be empty. The next tick may dial it. The error says
// what is wrong with the server.
func (s *Stream) AddServer(id string, server Server) error {
	if err := checkServer(id, server); err != nil {
		return err
	}
	s.change(func() (added, dropped []set.Entry[Server]) {
		old, had := s.servers.Get(id)
		if had && old == server {
			return nil, nil
		}
		if had {
			dropped = []set.Entry[Server]{{Name: id, Value: old}}
		}
		s.servers.Add(id, server)
		return []set.Entry[Server]{{Name: id, Value: server}}, dropped
	})
	return nil
}

// DropServer takes a server out of the set in force; false: no such id.
// Connections that were made stay as they are; an attempt under way ends
// without an event on the three streams.
func (s *Stream) DropServer(id string) bool {
	return s.drop(id, func(Server) bool { return true })
}

// DropIf is DropServer if the id still means this server: false if it does not,
// so that a successor is not dropped in its place.
func (s *Stream) DropIf(id string, server Server) bool {
	return s.drop(id, func(now Server) bool { return now == server })
}

func (s *Stream) drop(id string, only func(Server) bool) bool {
	return s.change(func() (added, dropped []set.Entry[Server]) {
		server, had := s.servers.Get(id)
		if !had || !only(server) {
			return nil, nil
		}
		s.servers.Drop(id)
		return nil, []set.Entry[Server]{{Name: id, Value: server}}
	})
}

// SetServers makes these the set in force. Servers that are in both stay as
// they are, at no cost. What is wrong with the set is left out and is the
// error, a line each; a server that was in force under the id of a wrong one
// stays.
func (s *Stream) SetServers(servers map[string]Server) (err error) {
	s.change(func() (added, dropped []set.Entry[Server]) {
		added, dropped, err = s.servers.Merge(servers, checkServer)
		return added, dropped
	})
	return err
}

// change changes the set in force and emits what has changed. False: nothing.
func (s *Stream) change(write func() (added, dropped []set.Entry[Server])) (changed bool) {
	var some bool
	s.sets.Update(func(heard bool) (any, bool) {
		added, dropped := write()
		some = len(added) > 0
		changed = some || len(dropped) > 0
		if !changed || !heard {
			return nil, false
		}
		return SetChange{byID(added), byID(dropped), time.Now()}, true
	})
	if some {
		s.pay()
	}
	return changed
}

func byID(entries []set.Entry[Server]) map[string]Server {
	servers := make(map[string]Server, len(entries))
	for _, e := range entries {
		servers[e.Name] = e.Value
	}
	return servers
}

// A SetChange is what a change did to the set in force. A server that took the
// place of another is in both.
type SetChange struct {
	Added   map[string]Server `json:"added"`
	Dropped map[string]Server `json:"dropped"`
	At      time.Time         `json:"at"`
}

// wholeSet is what a newcomer to Sets gets first.
func (s *Stream) wholeSet() iter.Seq[any] {
	return func(yield func(any) bool) { yield(SetChange{s.servers.All(), map[string]Server{}, time.Now()}) }
}

// Servers returns a copy of the set in force.
func (s *Stream) Servers() map[string]Server { return s.servers.All() }

// readSet puts one item of a source of sets in force and returns what is wrong
// with it.
func (s *Stream) readSet(item rxgo.Item) (wrong []error) {
	if item.Error() {
		return []error{fmt.Errorf("rover: server sets failed, the last one stays: %w", item.E)}
	}
	servers, ok := item.V.(map[string]Server)
	if !ok {
		return []error{fmt.Errorf("rover: server set ignored, the last one stays: got %T, want map[string]rover.Server", item.V)}
	}
	err := s.SetServers(servers)
	s.waiting.Store(false) // only now: a tick in between is no error
	if err != nil {
		wrong = err.(interface{ Unwrap() []error }).Unwrap()
	}
	return wrong
}

// Connections emits a *Connection for each slot line that was read. A
// subscriber that comes while offers are open gets them first, the newest
// first. A queue that overflows gives up what has waited in it for longest. That is
// declined, and so is what a subscriber leaves. What is over is not delivered.
func (s *Stream) Connections() rxgo.Observable { return s.connections.Observable() }

// Unreachable emits an *UnreachableError for each server that did not answer.
func (s *Stream) Unreachable() rxgo.Observable { return s.unreachable.Observable() }

// Errors emits every other error, as a value (Item.V): *ProtocolError,
// *LocalError, ErrNoServers, ErrBusy, *PanicError, what is wrong with a set,
// failed ticks. What nobody listens to is logged at Warn.
func (s *Stream) Errors() rxgo.Observable { return s.errors.Observable() }

// Outcomes emits an Outcome for every attempt, and for every tick that made
// none, at its end; nothing for what Stop cuts off. It loses nothing for a
// subscriber that keeps reading: its queue grows.
func (s *Stream) Outcomes() rxgo.Observable {
	s.heard.Store(true)
	return s.outcomes.Observable()
}

// Sets emits a SetChange with the set in force to each newcomer, all of it
// Added, and then every change. It loses nothing for a subscriber that keeps
// reading: its queue grows.
func (s *Stream) Sets() rxgo.Observable { return s.sets.Observable() }

// Start begins to rove: the first attempt at once, then one every interval.
// The end of ctx is a Stop, by its deadline too. The error is ErrStarted,
// ErrStopped, or a *PanicError of ticks or server sets, after which the stream
// is stopped.
func (s *Stream) Start(ctx context.Context) error {
	failed, err := s.start(ctx)
	if failed {
		s.Stop()
	}
	return err
}

func (s *Stream) start(ctx context.Context) (failed bool, err error) {
	s.mu <- struct{}{}
	defer func() { <-s.mu }()
	if s.stopped {
		return false, ErrStopped
	}
	if s.ctx != nil {
		return false, ErrStarted
	}
	stopWatching := context.AfterFunc(ctx, s.Stop)
	ctx, cancel := context.WithCancel(ctx)
	s.ctx, s.cancel = ctx, func() { stopWatching(); cancel() }
	s.waiting.Store(s.source != nil)
	fail := func(p *PanicError) { failed, err = true, p }
	if s.source != nil {
		guarded("server sets", func() { s.running.Go(s.follow(ctx)) }, fail)
	}
	if s.pick != nil {
		s.running.Go(s.picking)
	}
	guarded("ticks", func() { s.running.Go(s.rove(ctx)) }, fail)
	return failed, err
}

// follow subscribes to the user's source of sets and returns what puts them in
// force, one after the other.
func (s *Stream) follow(ctx context.Context) (run func()) {
	var sets iter.Seq[rxgo.Item]
	if hot.Direct(s.source) { // what is there already comes before the first tick
		queue := hot.Newest(ctx, s.source)
		for range len(queue) {
			s.adopt(<-queue)
		}
		sets = func(yield func(rxgo.Item) bool) {
			for item := range queue {
				if !yield(item) {
					return
				}
			}
		}
	} else { // stages run on our goroutine, under guard
		sets = hot.Items(ctx, hot.Lossless(s.source))
	}
	return func() {
		defer s.waiting.Store(false)
		guarded("server sets", func() {
			for item := range sets {
				s.adopt(item)
			}
		}, func(p *PanicError) { s.report(p) })
	}
}

// adopt puts one item of the source in force, and reports what is wrong with it.
func (s *Stream) adopt(item rxgo.Item) {
	for _, err := range s.readSet(item) {
		s.report(err)
	}
}

// Stop ends the roving and completes the streams. It returns when every tick
// and dial has ended; attempts under way emit nothing, open offers are
// declined. A dialer that does not return at its context's end is left behind
// when its dial timeout is over. Stop does not wait for subscribers: their
// goroutines end when their callbacks return. It waits for Pick and Logger, for
// the stages of ticks and server sets, and for the Close of a socket: do not call
// it there.
func (s *Stream) Stop() { _ = s.Shutdown(context.Background()) }

// Shutdown is Stop with a bound: when ctx ends, it leaves behind what has not
// returned. The error says so, and wraps ctx's.
func (s *Stream) Shutdown(ctx context.Context) error {
	select {
	case s.mu <- struct{}{}:
	default: // Start holds it, or another Stop for a moment
		select {
		case s.mu <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("rover: shutdown: %w: Start has not returned", ctx.Err())
		}
	}
	first := !s.stopped
	s.stopped = true
	if first && s.cancel != nil {
		s.cancel()
	}
	<-s.mu
	if first {
		go s.end()
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	left := 0
	for _, a := range slices.Concat(s.attempts.All(), s.late.All()) {
		go a.Abort(context.Canceled) // which waits for its socket's Close
		if s.abandon(a) {
			left++
		}
	}
	select { // nothing else hangs, as a rule
	case <-s.done:
		if left == 0 {
			return nil
		}
		return fmt.Errorf("rover: shutdown: %w: left %d dials behind that have not returned", ctx.Err(), left)
	case <-time.After(dialerGrace):
		return fmt.Errorf("rover: shutdown: %w: left %d dials behind, and a Pick, a Logger, or a stage of ticks or sets, that have not returned", ctx.Err(), left)
	}
}

// end is the one Stop: it waits for all that runs, and ends what is open.
func (s *Stream) end() {
	defer close(s.done)
	for _, a := range s.attempts.All() {
		a.Abort(context.Canceled)
	}
	s.running.Wait()
	s.aiming <- struct{}{}
	if s.owing.Swap(false) {
		s.count(func(n *Stats) { n.Owed--; n.NoServers++ })
	}
	<-s.aiming
	s.workers.Wait()
	s.attempts.Close()
	s.late.Close()
	for _, o := range s.offers.queue.Close() {
		o.End(offer.Stopped)
	}
	for _, stream := range []*hot.Subject{s.connections, s.unreachable, s.errors, s.outcomes, s.sets, s.inForce} {
		stream.Complete()
	}
	for what, times := range s.logged.Held() {
		s.log(slog.LevelWarn, "rover: nobody took this error, again", "error", what, "times", times)
	}
}

// Stats returns the counters so far, all of one moment.
func (s *Stream) Stats() Stats { return s.now() }

func (s *Stream) missed(n int) { s.count(func(stats *Stats) { stats.Missed += n }) }
