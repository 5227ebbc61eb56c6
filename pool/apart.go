package pool

// Apart says that how this loan ends is not held against the server, unless its
// borrower says so, by Fail. It is for a relay, whose connections end with its
// clients: one that asks nothing, or leaves before the answer, is no fault of the
// server's. Call it before anything is read or written.
func (c *Conn) Apart() {
	if c.state.Load() != over {
		c.entry.apart.Store(true)
	}
}

// Vouch says that the server is well: it has answered, for all that the pool can
// see of that, as when bytes went past it. A connection on trial has passed.
func (c *Conn) Vouch() {
	if c.state.Load() == over {
		return
	}
	e, p := c.entry, c.entry.pool
	e.use.proved.Store(true)
	p.mu.Lock()
	var finish func()
	if len(p.standings) > 0 {
		finish = p.success(e)
	}
	p.mu.Unlock()
	if finish != nil {
		finish()
	}
}
