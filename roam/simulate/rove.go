package simulate

import (
	"github.com/callosum-go/rover/roam"
)

// A rover is the policy of package roam at work. Its intervals are those of
// the client's clock.
type rover struct {
	core  *roam.Core
	clock float64
}

func newRover(w *world, c *client, start float64) agent {
	now := roam.Time(start / c.clock)
	config := w.Core
	config.Lockstep = w.Network.Together
	core, err := roam.NewCore(config, w.random, now, w.listed)
	if err != nil {
		panic(err) // Config.Check has asked
	}
	return &rover{core, c.clock}
}

func (r *rover) at(t float64) roam.Time { return roam.Time(t / r.clock) }

func (r *rover) next() float64 { return float64(r.core.Next()) * r.clock }

func (r *rover) wake(w *world, c *client) {
	// Not before Next, by a bit of the last place.
	r.dial(w, c, r.core.Wake(max(r.at(w.now), r.core.Next()), c.view))
}

func (r *rover) dial(w *world, c *client, dials []roam.Dial) {
	for _, d := range dials {
		w.dial(c, d)
	}
}

func (r *rover) offered(w *world, c *client, o offer) {
	now := r.at(w.now)
	verdict := r.core.Choose(now, c.view, roam.Offer{ID: w.servers[o.server].name, Slot: o.announced, Dial: o.dial})
	switch verdict.Choice {
	case roam.Keep:
		w.keep(c, o, -1)
	case roam.Replace:
		w.keep(c, o, verdict.Victim)
	default:
		w.refuse(c, o.conn)
	}
	r.dial(w, c, r.core.Answer(now, o.dial, o.announced, verdict, c.view))
}

func (r *rover) failed(w *world, c *client, d roam.Dial) {
	r.dial(w, c, r.core.Fail(r.at(w.now), d, c.view))
}

func (r *rover) lost(w *world, c *client, server int32) {
	if !w.servers[server].listed {
		server = -1
	}
	r.core.Lost(r.at(w.now), server)
}

func (r *rover) changed(w *world, c *client, added, dropped []int32) {
	r.core.Change(r.at(w.now), added, dropped, c.view)
}
