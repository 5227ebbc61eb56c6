package pool

import "context"

// ForServer lends a connection to the server with that id, and to no other: as
// a database's cancel needs. It takes an idle one, or waits for one to come back
// or to be offered. A pool of Open dials the server for it at once; what comes of
// that is beside Max, and closes when it comes back. Errors are those of Get.
func (p *Pool) ForServer(ctx context.Context, id string) (*Conn, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, p.missing(err)
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, ErrClosed
		}
		c := p.takeOf(id)
		if c == nil {
			return p.waitFor(ctx, id)
		}
		p.mu.Unlock()
		if c.untouched() {
			return c, nil
		}
	}
}

// takeOf lends an idle one of a server.
func (p *Pool) takeOf(id string) *Conn {
	for _, e := range p.idle {
		if e.id == id {
			p.unshelve(e)
			p.resize()
			return p.lend(e, 0)
		}
	}
	return nil
}

// waitFor waits with those who want the same server. The lock is held, and
// given up.
func (p *Pool) waitFor(ctx context.Context, id string) (*Conn, error) {
	q := p.named[id]
	if q == nil {
		q = &queue{}
		if p.named == nil {
			p.named = make(map[string]*queue)
		}
		p.named[id] = q
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if q.Len() == 0 && p.named[id] == q {
			delete(p.named, id)
		}
	}()
	if dial := p.opened.dial; dial != nil {
		go dial(id)
	}
	return p.wait(ctx, q)
}

// nextNamed takes out who waits for that server.
func (p *Pool) nextNamed(id string) *wait {
	if q := p.named[id]; q != nil {
		return q.pop()
	}
	return nil
}

// wanted says whether somebody waits for just that server.
func (p *Pool) wanted(id string) bool {
	q := p.named[id]
	return q != nil && q.Len() > 0
}

// waiters is how many wait in all.
func (p *Pool) waiters() int {
	n := p.waiting.Len()
	for _, q := range p.named {
		n += q.Len()
	}
	return n
}
