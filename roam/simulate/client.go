package simulate

import (
	"cmp"
	"math"
	"slices"

	"github.com/callosum-go/rover/roam"
)

// A client has a pool, and a policy that runs it.
type client struct {
	number int32
	rank   int     // among the clients that are there
	rtt    float64 // of this client
	clock  float64 // an interval by its clock
	behind float64 // a set change reaches it so late
	gone   bool
	agent  agent
	wakeAt float64 // the event that wakes it

	view  roam.View // its pool
	conns []conn    // of view.Kept
}

// A conn is a connection as the world knows it.
type conn struct {
	server, generation, slot int32
}

// An offer is a connection that a client has to keep or refuse.
type offer struct {
	conn
	dial      roam.Dial
	announced int
}

// An agent is a policy at work for one client. Times are the world's.
type agent interface {
	next() float64 // when to call wake
	wake(w *world, c *client)
	offered(w *world, c *client, o offer)
	failed(w *world, c *client, d roam.Dial)
	lost(w *world, c *client, server int32)
	changed(w *world, c *client, added, dropped []int32)
}

// keep takes an offer into the pool, and gives up the victim before, if there
// is one.
func (w *world) keep(c *client, o offer, victim int) {
	if victim >= 0 {
		w.giveUp(c, victim)
	}
	s := w.servers[o.server]
	s.kept++
	// Before those of the same slot: the longest held of them is the next to go.
	at, _ := slices.BinarySearchFunc(c.view.Kept, o.announced, func(h roam.Held, slot int) int { return cmp.Compare(h.Slot, slot) })
	c.view.Kept = slices.Insert(c.view.Kept, at, roam.Held{ID: s.name, Slot: o.announced})
	c.conns = slices.Insert(c.conns, at, o.conn)
}

// refuse lets the server have its slot back, half a round trip later.
func (w *world) refuse(c *client, x conn) {
	w.queue.push(event{at: w.now + c.rtt/2, kind: freed, server: x.server, generation: x.generation, slot: x.slot})
}

// giveUp closes a connection of the pool that is replaced.
func (w *world) giveUp(c *client, at int) {
	w.count.moves++
	x := c.conns[at]
	w.servers[x.server].kept--
	c.remove(at)
	w.refuse(c, x)
}

func (c *client) remove(at int) {
	c.view.Kept = slices.Delete(c.view.Kept, at, at+1)
	c.conns = slices.Delete(c.conns, at, at+1)
}

// rerate makes the pool's connections to a server that drains its worst.
func (c *client) rerate(server int32, name string) {
	for i := len(c.conns) - 1; i >= 0; i-- {
		if c.conns[i].server == server && c.view.Kept[i].Slot < roam.Drain {
			x := c.conns[i]
			c.remove(i)
			c.view.Kept = append(c.view.Kept, roam.Held{ID: name, Slot: roam.Drain})
			c.conns = append(c.conns, x)
		}
	}
}

// rest makes sure that the client is woken in time. Every event of it ends
// with it.
func (w *world) rest(c *client) {
	if at := max(c.agent.next(), w.now); at < c.wakeAt && !math.IsInf(at, 1) {
		c.wakeAt = at
		w.queue.push(event{at: at, kind: wakes, client: c.number})
	}
}
