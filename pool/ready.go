package pool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// readyTimeout is how long the function of WithReady may take.
const readyTimeout = 10 * time.Second

// WithReady sets what is done with each connection before it is lent the first
// time, as soon as the pool has it: a TLS handshake, a login. What ready returns
// is lent from then on; the connection itself, or one around it, which should
// have a method NetConn. Servers that end connections on which nobody says
// anything then find a client. It is called on a goroutine of its own; its
// context ends after 10 s, and when the pool wants the connection no more. An
// error, or a panic, closes the connection, and counts as a failure of the
// server.
func WithReady(ready func(ctx context.Context, conn net.Conn) (net.Conn, error)) Option {
	return func(p *Pool) error {
		if p.ready = ready; ready == nil {
			return errors.New("pool: ready must not be nil")
		}
		return nil
	}
}

// prepare makes e, which is new, ready and puts it with the idle. The lock is
// held; what it returns, which may be nil, is to be called without.
func (p *Pool) prepare(e *entry) (finish func()) {
	if p.ready == nil {
		return p.put(e)
	}
	ctx, cancel := context.WithTimeout(p.open, readyTimeout)
	e.notify = cancel
	p.readying++
	e.readying = true
	p.feeding.Go(func() {
		defer cancel()
		conn, err := p.makeReady(ctx, e)
		p.readied(e, conn, err)
	})
	return nil
}

func (p *Pool) makeReady(ctx context.Context, e *entry) (conn net.Conn, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	unhook := context.AfterFunc(ctx, func() { _ = e.conn.SetDeadline(time.Unix(1, 0)) })
	defer unhook()
	conn, err = p.ready(ctx, e.conn)
	if err == nil && conn == nil {
		err = errors.New("it returned neither connection nor error")
	}
	if err == nil && !unhook() {
		err = context.Cause(ctx)
	}
	if err == nil {
		_ = conn.SetDeadline(time.Time{}) // ready may have set one
		if e.ahead != nil {
			e.ahead.start() // before anybody borrows it
		}
	}
	return conn, err
}

// readied ends the making ready, as the end of a loan.
func (p *Pool) readied(e *entry, conn net.Conn, err error) {
	p.mu.Lock()
	p.readying--
	e.readying, e.notify = false, nil
	wanted := e.in() || p.wanted(e.id)
	var finish func()
	switch {
	case err != nil || !wanted:
		if err != nil && !e.replaced && !p.closed {
			finish = p.failure(e, because{Unready, err})
		}
		if e.in() {
			p.end(e, because{Unready, err})
		}
		p.stats.Leaving--
		finish = then(finish, e.shut)
	default:
		if conn != e.conn {
			e.conn, e.wrapped = conn, true
		}
		finish = p.put(e)
	}
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}
