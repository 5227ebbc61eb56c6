package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover/internal/repeat"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/server"
)

// DefaultDialTimeout is how long a Front dials its backend.
const DefaultDialTimeout = 3 * time.Second

var errGone = errors.New("relay: the server is not there")

// DefaultCheck is how often a lazy Front looks whether its backend is there.
const DefaultCheck = time.Second

// A Front gives out slots for a server that knows nothing of them. The fields
// must not change once Serve has begun; only Dial is needed.
//
// An eager Front dials the server for each client, before the slot line is
// written: while the server is down, the Front is unreachable, and draws nobody
// to it. It suits every protocol, also those in which the server speaks first.
// But each slot that a pool keeps for later is a silent connection to the server.
//
// A lazy Front is for servers that end silent connections, or have few: HTTP,
// PostgreSQL, MySQL's successors that wait for the client, Redis, MQTT. It dials
// at the client's first byte. It looks every Check whether the server is there;
// while it is not, clients are refused, and those that have asked nothing yet get
// a reset. It must not be used where the server speaks first.
type Front struct {
	Dial        func(ctx context.Context) (net.Conn, error) // the server; see Dialer
	DialTimeout time.Duration                               // of Dial and what comes with it; default DefaultDialTimeout
	Lazy        bool
	Check       time.Duration // of a lazy Front; default DefaultCheck
	Limit       int           // clients at once, those without a slot yet included; 0: no limit
	Header      Header        // what the server gets first of all; default nothing
	TLS         *tls.Config   // for clients; nil: plain TCP
	Options     []server.Option
	Drain       time.Duration // default DefaultDrain
	HalfOpen    time.Duration // as WithHalfOpen; default DefaultHalfOpen
	Logger      *slog.Logger  // troubles, each at most once a minute; default slog.Default()
	OnSession   func(Session) // called at the end of each; it must be quick

	sessions
	alive   atomic.Bool // of a lazy Front: the server could be dialed
	clients atomic.Int64
	known   repeat.Log

	waiting sync.Mutex
	silent  map[net.Conn]struct{} // clients of a lazy Front that have asked nothing yet
}

// Stats are the counters so far.
func (f *Front) Stats() Stats { return f.now() }

// Alive says whether the server could be dialed the last time; always true of an
// eager Front.
func (f *Front) Alive() bool { return !f.Lazy || f.alive.Load() }

// Serve gives slots to the clients that l accepts, until ctx ends or l fails. It
// closes l. At ctx's end slot lines get the mark [server.Drain], so that nobody new
// is drawn here; clients that are quiet are sent away, one after the other over half
// the time to drain, and what is left when that is over is cut. Then Serve returns
// nil. Call it once.
func (f *Front) Serve(ctx context.Context, l net.Listener) error {
	if f.Dial == nil {
		return errors.New("relay: Front.Dial must not be nil")
	}
	f.defaults()
	checking, stop := context.WithCancel(context.Background())
	defer stop()
	var checker sync.WaitGroup
	if f.Lazy {
		f.check(checking)
		checker.Go(func() { f.checkAll(checking) })
	}
	defer checker.Wait()
	defer stop()
	slots, err := server.NewListener(&accepted{l, f}, append([]server.Option{server.WithLogger(f.Logger), server.WithIdle(never)}, f.Options...)...)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	f.tasks.Go(func() { failed <- f.acceptAll(slots) })
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	mark, marked := context.WithTimeout(context.Background(), f.Drain)
	defer marked()
	f.tasks.Go(func() { _ = slots.Drain(mark) })
	f.drain(f.Drain, f.Drain/2, func() bool { return f.clients.Load() > 0 })
	marked()
	slots.Close()
	f.tasks.Wait()
	if err == nil {
		return nil
	}
	return fmt.Errorf("relay: front: %w", err)
}

// acceptAll serves clients until the listener fails, or is closed.
func (f *Front) acceptAll(slots *server.Listener) error {
	for {
		c, err := slots.Accept()
		if err != nil {
			return err
		}
		f.tasks.Go(func() { f.serve(c.(*server.Conn)) })
	}
}

// never has the listener close nothing by itself: it does not see what goes by
// the kernel, and sessions know better when they are quiet.
func never(*server.Conn) bool { return false }

func (f *Front) defaults() {
	orElse(&f.DialTimeout, DefaultDialTimeout)
	orElse(&f.Check, DefaultCheck)
	orElse(&f.Drain, DefaultDrain)
	orElse(&f.HalfOpen, DefaultHalfOpen)
	if f.Logger == nil {
		f.Logger = slog.Default()
	}
}

func orElse(d *time.Duration, or time.Duration) {
	if *d == 0 {
		*d = or
	}
}

// serve joins a client that has its slot line with the server.
func (f *Front) serve(c *server.Conn) {
	c.SetIdle(false) // when it goes is ours to say, for we go round it
	s := f.begin()
	began := time.Now()
	client := c.NetConn().(*client)
	first := 0
	var err error
	if f.Lazy {
		first, err = f.await(c, client, s)
	}
	r := Result{First: A, Err: err}
	to := client.join()
	switch {
	case err != nil:
		socket.Refuse(c)
	case to == nil:
		c.Close()
	default:
		r = Join(c, to, WithHalfOpen(f.HalfOpen), WithContext(s.ctx), WithRetire(quietInDrain, s.wanted.Done(), nil))
		r.Sent += int64(first)
	}
	f.end(s, r)
	if f.OnSession != nil {
		f.OnSession(Session{Result: r, Client: c.RemoteAddr(), Server: peer(to), Slot: c.Slot(), Began: began, Took: time.Since(began)})
	}
}

func peer(c net.Conn) string {
	if c == nil {
		return ""
	}
	return c.RemoteAddr().String()
}

// quietInDrain is how long a client is quiet before it is sent away.
const quietInDrain = time.Second

// await waits for the client's first bytes, dials the server, and sends them. 0:
// the client has left without any, or was sent away.
func (f *Front) await(c *server.Conn, client *client, s *session) (n int, err error) {
	if !f.keepSilent(c) {
		return 0, errGone
	}
	unhook := context.AfterFunc(s.ctx, func() { socket.Refuse(c) })
	defer unhook()
	unhookToo := context.AfterFunc(s.wanted, func() { c.Close() }) // it has asked nothing
	defer unhookToo()
	buf := small.Get().(*[]byte)
	defer small.Put(buf)
	n, _ = c.Read(*buf)
	f.speaks(c)
	if n == 0 {
		return 0, nil
	}
	if err = client.dial(); err != nil {
		f.refuse("server")
		f.alive.Store(false)
		f.resetSilent()
		return n, err
	}
	_, err = client.server.Write((*buf)[:n])
	return n, err
}

// trouble logs what keeps going wrong.
func (f *Front) trouble(what string, err error) {
	if times, now := f.known.Happened(what); now {
		f.Logger.Warn("relay: front: "+what, "error", err, "times", times)
	}
}
