package pool

//lint:file-ignore SA1019 http.Client sets Request.Cancel for its Timeout

import (
	"container/heap"
	"container/list"
	"context"
	"math/bits"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// A fleet is the connections of a Transport that speak the same: all plain
// ones, or all of TLS.
type fleet struct {
	transport *Transport
	scheme    string
	asking    sync.Pool    // of *ask; not global, for a channel made in a test's bubble stays there
	size      atomic.Int64 // connections held; changed under mu

	// mu guards what follows, and what its clients say is under it. Taken before
	// the pool's. Nothing is called under it that may call a client's state hook.
	mu    sync.Mutex
	ready byLoad    // clients that can take a request
	asks  list.List // of *ask, in order of arrival
	turn  uint64
	named map[string]int64 // connections by the name that they were opened for
	apart map[string]bool  // names that need a connection of their own
	again *time.Timer      // for who waits still; nil: nobody has
	armed bool             // it runs
}

// An ask is a request that waits for a seat.
type ask struct {
	host  string
	seat  chan *client  // has room for one, so that nobody waits to send
	place *list.Element // in asks; nil: not there
}

func (f *fleet) init(t *Transport, scheme string) {
	f.transport, f.scheme = t, scheme
	f.named, f.apart = map[string]int64{}, map[string]bool{}
	f.asking.New = func() any { return &ask{seat: make(chan *client, 1)} }
}

// seat finds a connection for a request, which waits if need be. What is idle in
// the pool comes first: it is unused for longest.
func (f *fleet) seat(req *http.Request, host string) (*client, error) {
	ctx := req.Context()
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GetConn != nil {
		trace.GetConn(req.URL.Host)
	}
	for {
		if ctx.Err() != nil {
			return nil, f.transport.pool.missing(context.Cause(ctx))
		}
		raw, _ := f.transport.pool.TryGet()
		var c *client
		if raw == nil {
			f.mu.Lock()
			c = f.take(host)
			f.mu.Unlock()
		}
		var err error
		if raw == nil && c == nil {
			c, raw, err = f.wait(req, host)
		}
		if raw != nil {
			c, err = f.open(ctx, raw, host)
		}
		switch {
		case err != nil:
			return nil, err
		case c == nil: // what the pool had is lent again already, or will be now
		case c.takes():
			return c, nil
		default:
			c.refuse()
		}
	}
}

// take takes a seat on the longest unused of those with the fewest requests; nil:
// there is none. f.mu is held.
func (f *fleet) take(host string) *client {
	var c *client
	for i, d := range f.ready {
		if d.covers(host) && (c == nil || f.ready.Less(i, c.spot)) {
			c = d
			if i == 0 {
				break
			}
		}
	}
	if c != nil {
		f.turn++
		c.turn = f.turn
		c.load++
		f.arrange(c)
	}
	return c
}

// wait waits for a seat or a connection, whichever comes first.
func (f *fleet) wait(req *http.Request, host string) (c *client, raw *Conn, err error) {
	ctx, p := req.Context(), f.transport.pool
	w, err := p.await(f)
	if w == nil {
		return nil, nil, err
	}
	a := f.asking.Get().(*ask)
	a.host = host
	var idle *client
	f.mu.Lock()
	if c := f.take(host); c != nil {
		a.seat <- c
	} else {
		a.place = f.asks.PushBack(a)
		f.arm()
		idle = f.stranger(host)
	}
	f.mu.Unlock()
	if idle == nil {
		p.claim(f)
	} else {
		idle.letGo()
	}
	select {
	case c = <-a.seat:
	case raw = <-w.lent:
		if raw == nil {
			err = ErrClosed
		}
		p.waits.Put(w)
		w = nil
	case <-ctx.Done():
		err = p.missing(context.Cause(ctx))
	case <-req.Cancel:
		err = p.missing(errCanceled)
	}
	if w != nil {
		p.leave(&p.waiting, w, err)
	}
	if c == nil {
		f.mu.Lock()
		waits := a.place != nil
		if waits {
			f.drop(a)
		}
		f.mu.Unlock()
		if !waits { // a seat came as well
			(<-a.seat).leave(false)
		}
	}
	f.asking.Put(a)
	return c, raw, err
}

// arm has look called after a while. f.mu is held.
func (f *fleet) arm() {
	switch {
	case f.armed:
	case f.again == nil:
		f.again = time.AfterFunc(unusedEnough, f.look)
	default:
		f.again.Reset(unusedEnough)
	}
	f.armed = true
}

// look sees whether there is by now what others do not use, as long as anybody
// waits.
func (f *fleet) look() {
	f.mu.Lock()
	f.armed = false
	if f.asks.Len() == 0 {
		f.mu.Unlock()
		return
	}
	f.arm()
	idle := f.stranger(f.first().host)
	f.mu.Unlock()
	if idle == nil {
		f.transport.pool.claim(f)
	} else {
		idle.letGo()
	}
}

// stranger is a connection of another name that is due to one who waits. f.mu is
// held.
func (f *fleet) stranger(host string) *client {
	return f.spare(f.named[host], func(c *client) int64 { return f.named[c.host] })
}

// serve gives seats to those that wait. f.mu is held.
func (f *fleet) serve() {
	for place := f.asks.Front(); place != nil && len(f.ready) > 0; {
		a := place.Value.(*ask)
		place = place.Next()
		if c := f.take(a.host); c != nil {
			f.drop(a)
			a.seat <- c
		}
	}
}

// first is who has waited longest, where anybody waits. f.mu is held.
func (f *fleet) first() *ask { return f.asks.Front().Value.(*ask) }

// drop takes a out of those that wait. f.mu is held.
func (f *fleet) drop(a *ask) {
	f.asks.Remove(a.place)
	a.place = nil
}

// arrange puts c where it belongs. f.mu is held.
func (f *fleet) arrange(c *client) {
	switch can := !c.retired && !c.gone && !c.full && (c.http2 || c.load == 0); {
	case can && c.spot < 0:
		heap.Push(&f.ready, c)
	case can:
		heap.Fix(&f.ready, c.spot)
	case c.spot >= 0:
		heap.Remove(&f.ready, c.spot)
	}
}

// hold counts a connection more or less. f.mu is held.
func (f *fleet) hold(c *client, n int64) {
	if f.named[c.host] += n; f.named[c.host] == 0 {
		delete(f.named, c.host)
	}
	switch size := f.size.Add(n); {
	case size == 0:
		f.transport.pool.unhold(f)
	case size == n:
		f.transport.pool.hold(f)
	}
}

func (f *fleet) held() int64 { return f.size.Load() }

// separate has names that share a connection in vain use it no more.
func (f *fleet) separate(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.apart[host] = true
}

// yield gives up a connection without a request for somebody who waits in the
// pool and holds so many; false: there is none that is due.
func (f *fleet) yield(waiter int64) bool {
	f.mu.Lock()
	var c *client
	if f.asks.Len() == 0 {
		c = f.spare(waiter, func(*client) int64 { return f.size.Load() })
	}
	f.mu.Unlock()
	if c != nil {
		c.letGo()
	}
	return c != nil
}

// spare retires the longest unused connection without a request, if it is due to
// one who waits and holds so many. Nil: there is none. f.mu is held.
func (f *fleet) spare(waiter int64, holds func(*client) int64) *client {
	if len(f.ready) == 0 || f.ready[0].load > 0 {
		return nil
	}
	c := f.ready[0]
	if !isDue(holds(c), waiter) && time.Since(c.since) < unusedEnough {
		return nil
	}
	c.retired, c.due = true, true
	f.arrange(c)
	return c
}

func (f *fleet) closeIdle() {
	f.mu.Lock()
	var idle []*client
	for _, c := range f.ready {
		if c.load == 0 {
			idle = append(idle, c)
		}
	}
	for _, c := range idle {
		c.retired = true
		f.arrange(c)
	}
	f.mu.Unlock()
	for _, c := range idle {
		_ = c.Close()
	}
}

// byLoad is a heap: the fewest requests first, of about the same the longest
// unused. 2 and 3 requests are about the same, and 4 to 7, and so on: to go by
// each single one would favour whoever is quick by chance.
type byLoad []*client

func (b byLoad) Len() int { return len(b) }

func (b byLoad) Less(i, j int) bool {
	x, y := bits.Len(uint(b[i].load)), bits.Len(uint(b[j].load))
	return x < y || x == y && b[i].turn < b[j].turn
}

func (b byLoad) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].spot, b[j].spot = i, j
}

func (b *byLoad) Push(c any) {
	c.(*client).spot = len(*b)
	*b = append(*b, c.(*client))
}

func (b *byLoad) Pop() any {
	last := len(*b) - 1
	c := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	c.spot = -1
	return c
}
