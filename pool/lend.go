package pool

import (
	"context"
	"math/bits"
	"net"
	"time"
)

// Get lends a connection. It waits, in order of arrival, until one is free; the
// error is ErrClosed, or a *WaitError that wraps ctx's when that ends first.
func (p *Pool) Get(ctx context.Context) (*Conn, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, p.missing(err)
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, ErrClosed
		}
		c := p.take()
		if c == nil {
			return p.wait(ctx, &p.waiting)
		}
		p.mu.Unlock()
		if c.untouched() {
			return c, nil
		}
	}
}

// wait ends with a connection, the pool or ctx. The lock is held, and given up.
func (p *Pool) wait(ctx context.Context, q *queue) (*Conn, error) {
	w := p.queued(q, nil)
	p.mu.Unlock()
	if q == &p.waiting {
		p.claim(nil)
	}
	select {
	case c := <-w.lent:
		p.waits.Put(w)
		if c == nil {
			return nil, ErrClosed
		}
		return c, nil
	case <-ctx.Done():
		p.leave(q, w, ctx.Err())
		return nil, p.missing(ctx.Err())
	}
}

// queued puts a new wait in the queue, of h if that is a holder. The lock is held.
func (p *Pool) queued(q *queue, h holder) *wait {
	w := p.waits.Get().(*wait)
	if q.Len() == 0 {
		p.waitedSince = time.Now()
	}
	q.push(w)
	w.since, w.holder = time.Time{}, h
	if p.heard() {
		w.since = time.Now()
		p.emit(Change{Kind: Waiting})
	}
	p.resize()
	return w
}

// leave ends a wait that has received nothing yet, because of cause; nil: it
// needs nothing any more.
func (p *Pool) leave(q *queue, w *wait, cause error) {
	p.mu.Lock()
	left := q.remove(w)
	if left {
		p.satisfied(w, cause)
		p.resize()
	}
	p.mu.Unlock()
	if !left { // one was lent meanwhile, or the pool closed
		if c := <-w.lent; c != nil {
			c.Release()
		}
	}
	p.waits.Put(w)
}

// TryGet lends a connection if one is idle. It never waits. Why says why there
// is none.
func (p *Pool) TryGet() (*Conn, bool) {
	for {
		p.mu.Lock()
		c := p.take()
		p.mu.Unlock()
		if c == nil || c.untouched() {
			return c, c != nil
		}
	}
}

// DialContext is Get for whoever wants a dial function: http.Transport's
// DialContext, grpc.WithContextDialer, a database driver. Network and address
// are ignored, the pool decides. What it returns is a *Conn, or, where the
// socket is not able to do all that a *Conn has methods for, what shows those it
// can, and the *Conn by NetConn. Clients that dial close what they dialed, which
// takes it from the pool for good.
func (p *Pool) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := p.Get(ctx)
	if err != nil {
		return nil, err
	}
	return c.shown(), nil
}

// untouched says that nothing has come on a connection since it was found clean.
// Else it closes: a late answer is nobody's but who asked.
func (c *Conn) untouched() bool {
	e := c.entry
	if !e.use.ever.Load() || e.pool.reuse != nil {
		return true
	}
	why := e.leftover()
	if why == nil {
		return true
	}
	if c.state.CompareAndSwap(lent, ending) {
		c.finish(why)
	}
	return false
}

// take lends one of the idle, nil if there is none.
func (p *Pool) take() *Conn {
	if len(p.idle) == 0 {
		return nil
	}
	any, _ := bits.Mul64(p.dice.Uint64(), uint64(len(p.idle))) // uniform, but for len/2^64
	e := p.idle[any]
	p.unshelve(e)
	p.resize()
	return p.lend(e, 0)
}

// put lends e to who has waited longest, or lays it with the idle. What it
// returns, which may be nil, is to be called without the lock.
func (p *Pool) put(e *entry) (finish func()) {
	if e.notify != nil {
		e.notify = nil
	}
	if w := p.next(e.id); w != nil {
		w.lent <- p.lend(e, p.satisfied(w, nil))
		p.resize()
		return nil
	}
	p.shelve(e)
	if p.idleMax > 0 {
		return p.trim()
	}
	return nil
}

// next takes out who is to get a connection of a server, nil if nobody waits.
func (p *Pool) next(id string) *wait {
	if len(p.named) > 0 {
		if w := p.nextNamed(id); w != nil {
			return w
		}
	}
	return p.waiting.pop()
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
