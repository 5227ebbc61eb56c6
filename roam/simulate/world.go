package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/callosum-go/rover/roam"
)

// A world is a fleet in continuous time, from event to event. A dial at t
// takes a slot at t + RTT, the client hears of it half a RTT later, and what it
// refuses is free after another half.
type world struct {
	Config
	random  *rand.Rand
	now     float64
	queue   queue
	servers []*server
	clients []*client
	listed  []int32 // servers of the set
	tasks   []int32 // servers by their number in the set, -1 where one left: who comes next takes it
	scripts []func()
	changes []change
	seed    uint64
	count   struct{ dials, moves int }
}

type change struct{ added, dropped []int32 }

func newWorld(config Config, seed uint64) *world {
	w := &world{Config: config, seed: seed, random: rand.New(rand.NewPCG(seed, 77))}
	for range w.Fleet.Servers {
		w.list(w.newServer())
	}
	for range w.Fleet.Clients {
		w.newClient()
	}
	w.rerank()
	return w
}

func (w *world) newServer() int32 {
	s := &server{name: fmt.Sprint("s", len(w.servers)), alive: true, weight: 1, born: w.now}
	if w.random.Float64() < w.Network.SlowServers {
		s.late = 0.2
	}
	w.servers = append(w.servers, s)
	return int32(len(w.servers) - 1)
}

func (w *world) list(id int32) {
	w.servers[id].listed = true
	w.listed = append(w.listed, id)
	if free := slices.Index(w.tasks, -1); free >= 0 {
		w.tasks[free] = id
	} else {
		w.tasks = append(w.tasks, id)
	}
}

func (w *world) unlist(id int32) {
	w.servers[id].listed = false
	w.listed = slices.Delete(w.listed, slices.Index(w.listed, id), slices.Index(w.listed, id)+1)
	w.tasks[slices.Index(w.tasks, id)] = -1
}

// newClient starts within an interval from now.
func (w *world) newClient() *client {
	c := &client{
		number: int32(len(w.clients)),
		rank:   len(w.clients),
		rtt:    w.Network.RTT * (0.5 + w.random.Float64()),
		clock:  1 + w.Network.Drift*(2*w.random.Float64()-1),
		behind: w.Network.Late * w.random.Float64(),
		wakeAt: math.Inf(1),
	}
	if w.random.Float64() < w.Network.SlowClients {
		c.rtt *= 20
	}
	c.view.Max = w.Fleet.Max
	if w.Fleet.Mixed {
		c.view.Max = max(1, w.Fleet.Max*[]int{1, 2, 4, 9}[w.random.IntN(4)]/4)
	}
	start := w.random.Float64()
	if w.Network.Together {
		start = 0
	}
	w.clients = append(w.clients, c)
	c.agent = w.Policy.agent(w, c, w.now+start)
	w.rest(c)
	return c
}

// rerank numbers the clients that are there.
func (w *world) rerank() {
	n := 0
	for _, c := range w.clients {
		if !c.gone {
			c.rank = n
			n++
		}
	}
}

// run lets happen what happens until then.
func (w *world) run(until float64) {
	for len(w.queue) > 0 && w.queue[0].at <= until {
		e := w.queue.pop()
		w.now = e.at
		switch e.kind {
		case wakes:
			w.onWake(w.clients[e.client], e.at)
		case arrives:
			w.onArrival(w.clients[e.client], e)
		case answers, fails:
			w.onAnswer(w.clients[e.client], e)
		case freed:
			if s := w.servers[e.server]; s.generation == e.generation {
				s.free(e.slot)
			}
		case scripted:
			w.scripts[e.slot]()
		case hears:
			if c := w.clients[e.client]; !c.gone {
				c.agent.changed(w, c, w.changes[e.slot].added, w.changes[e.slot].dropped)
				w.rest(c)
			}
		}
	}
	w.now = until
}

func (w *world) onWake(c *client, at float64) {
	if at != c.wakeAt || c.gone {
		return // there was an earlier one
	}
	c.wakeAt = math.Inf(1)
	if c.agent.next() <= at {
		c.agent.wake(w, c)
	}
	w.rest(c)
}

// dialTimeout is how long a client waits for a server that says nothing.
const dialTimeout = 5

// dial sends a client's dial on its way.
func (w *world) dial(c *client, d roam.Dial) {
	w.count.dials++
	e := event{at: w.now + c.rtt, kind: arrives, client: c.number, server: d.Server, dial: d}
	if w.random.Float64() < w.Network.Loss {
		e.at++
		if w.random.Float64() < w.Network.Loss {
			e.at, e.kind = w.now+dialTimeout, fails
		}
	}
	w.queue.push(e)
}

func (w *world) onArrival(c *client, e event) {
	s := w.servers[e.server]
	s.accepts++
	e.at, e.kind = e.at+c.rtt/2, fails
	if s.silent {
		e.at = w.now + dialTimeout
	}
	if s.alive {
		e.kind, e.generation, e.slot = answers, s.generation, s.take()
		e.announced = int32(s.announce(e.slot, w.now))
		e.at += s.late
	}
	w.queue.push(e)
}

func (w *world) onAnswer(c *client, e event) {
	s := w.servers[e.server]
	stands := e.kind == answers && s.generation == e.generation
	switch {
	case c.gone:
		if stands {
			s.free(e.slot)
		}
		return
	case !stands:
		c.agent.failed(w, c, e.dial)
	default:
		if e.announced >= roam.Drain {
			c.rerate(e.server, s.name)
		}
		c.agent.offered(w, c, offer{conn{e.server, e.generation, e.slot}, e.dial, int(e.announced)})
	}
	w.rest(c)
}
