package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/callosum-go/rover/internal/repeat"
	"github.com/callosum-go/rover/internal/socket"
	"github.com/callosum-go/rover/pool"
)

// Defaults of a Proxy.
const (
	DefaultWait  = 5 * time.Second
	DefaultQuiet = 5 * time.Second
)

// A Proxy is a local port whose connections go over a pool, to the servers with
// the lowest slots. The fields must not change once Serve has begun; only Pool is
// needed. Give the pool few idle connections ([pool.WithIdle]): each holds a slot.
//
// A client's connection stays with one server for life, so that long ones would
// hold the balance up. The Proxy knows which are in the way: those that the pool
// has replaced. It closes them when they have been quiet for the time Quiet, and
// the program behind dials again. One that may still wait for an answer, since it
// has spoken last, gets twelve times that.
type Proxy struct {
	Pool      *pool.Pool
	Wait      time.Duration // how long a client waits for a slot before it gets a reset; default DefaultWait
	Quiet     time.Duration // default DefaultQuiet
	MaxAge    time.Duration // from 0.9 of it on, by chance, a connection is treated as replaced; at 1.1 it is cut; 0: no limit
	Drain     time.Duration // default DefaultDrain
	HalfOpen  time.Duration // as WithHalfOpen; default DefaultHalfOpen
	Logger    *slog.Logger  // troubles, each at most once a minute; default slog.Default()
	OnSession func(Session) // called at the end of each; it must be quick

	sessions
	known repeat.Log
}

// Stats are the counters so far. Refused counts by why there was no slot: "no
// server" (the pool has no connection), "all lent", "end" (the Proxy or the pool has ended).
func (p *Proxy) Stats() Stats { return p.now() }

// Serve joins what l accepts with connections of the pool, until ctx ends or l
// fails. It closes l. At ctx's end it accepts no more, closes what is quiet, and
// cuts what is left when the time to drain is over; then it returns nil. Call it
// once. It does not close the pool.
func (p *Proxy) Serve(ctx context.Context, l net.Listener) error {
	if p.Pool == nil {
		return errors.New("relay: Proxy.Pool must not be nil")
	}
	p.defaults()
	unhook := context.AfterFunc(ctx, func() { l.Close() })
	var err error
	for pause := time.Duration(0); ; {
		var c net.Conn
		if c, err = l.Accept(); err == nil {
			pause = 0
			p.tasks.Go(func() { p.serve(ctx, c) })
			continue
		}
		var passing interface{ Temporary() bool }
		if ctx.Err() != nil || !errors.As(err, &passing) || !passing.Temporary() {
			break
		}
		p.trouble("accepting fails, and is tried again", err) // such as out of descriptors
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		sleep(ctx, pause)
	}
	unhook()
	l.Close()
	p.drain(p.Drain, 0, func() bool { return p.now().Active > 0 })
	p.tasks.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("relay: proxy: %w", err)
}

func (p *Proxy) defaults() {
	orElse(&p.Wait, DefaultWait)
	orElse(&p.Quiet, DefaultQuiet)
	orElse(&p.Drain, DefaultDrain)
	orElse(&p.HalfOpen, DefaultHalfOpen)
	if p.Logger == nil {
		p.Logger = slog.Default()
	}
}

// serve joins a client with a connection of the pool, or gives it a reset.
func (p *Proxy) serve(ctx context.Context, c net.Conn) {
	began := time.Now()
	conn, err := p.get(ctx)
	if err != nil {
		socket.Refuse(c)
		return
	}
	s := p.begin()
	stop := p.age(s)
	r := Join(c, borrow(conn), WithHalfOpen(p.HalfOpen), WithContext(s.ctx), WithRetire(p.Quiet, s.wanted.Done(), conn.Replaced()))
	stop()
	p.end(s, r)
	if p.OnSession != nil {
		p.OnSession(Session{Result: r, Client: c.RemoteAddr(), Server: conn.ID(), Slot: conn.Slot(), Began: began, Took: time.Since(began)})
	}
}

// get waits for a connection, and counts why there is none.
func (p *Proxy) get(ctx context.Context) (*pool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	conn, err := p.Pool.Get(ctx)
	if err == nil {
		return conn, nil
	}
	why := "no server"
	var wait *pool.WaitError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, pool.ErrClosed):
		why = "end"
	case errors.As(err, &wait) && wait.Held > 0:
		why = "all lent"
	}
	p.refuse(why)
	if why != "end" {
		p.trouble("clients get a reset: "+why, err)
	}
	return nil, err
}

// ErrAge is the cause that cuts a connection that is too old and never quiet.
var ErrAge = errors.New("relay: the connection is older than it may be")

// age retires the session when it has its age, and cuts it when it gets too old.
func (p *Proxy) age(s *session) (stop func()) {
	if p.MaxAge <= 0 {
		return func() {}
	}
	tenth := p.MaxAge / 10
	soft := time.AfterFunc(p.MaxAge-rand.N(tenth+1), s.retired)
	hard := time.AfterFunc(p.MaxAge+tenth, func() { s.cut(ErrAge) })
	return func() { soft.Stop(); hard.Stop() }
}

func (p *Proxy) trouble(what string, err error) {
	if times, now := p.known.Happened(what); now {
		p.Logger.Warn("relay: proxy: "+what, "error", err, "times", times)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
