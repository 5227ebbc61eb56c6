package simulate

import (
	"math"

	"github.com/callosum-go/rover/roam"
)

// A reference is what callosum-client-tcp-rover does: every interval it dials
// a random server, and keeps the lowest slots.
type reference struct{ beat float64 }

func newReference(_ *world, _ *client, start float64) agent { return &reference{start} }

func (r *reference) next() float64 { return r.beat }

func (r *reference) wake(w *world, c *client) {
	r.beat = w.now + c.clock
	if len(w.listed) > 0 {
		w.dial(c, roam.Dial{Server: w.listed[w.random.IntN(len(w.listed))]})
	}
}

func (r *reference) offered(w *world, c *client, o offer) {
	switch last := len(c.conns) - 1; {
	case len(c.conns) < c.view.Max:
		w.keep(c, o, -1)
	case o.announced < c.view.Kept[last].Slot:
		w.keep(c, o, last)
	default:
		w.refuse(c, o.conn)
	}
}

func (r *reference) failed(*world, *client, roam.Dial)         {}
func (r *reference) lost(*world, *client, int32)               {}
func (r *reference) changed(*world, *client, []int32, []int32) {}

// A twoChooser knows what nobody can: how many connections each server has. It
// fills its pool at once, each time with the less loaded of two random servers;
// then, each interval, it moves from its most loaded server to the less loaded
// of two, if that helps.
type twoChooser struct {
	beat float64
}

func newTwoChoices(_ *world, _ *client, start float64) agent { return &twoChooser{start} }

func (t *twoChooser) next() float64 { return t.beat }

func (t *twoChooser) wake(w *world, c *client) {
	t.beat = w.now + c.clock
	if len(w.listed) == 0 {
		return
	}
	for range c.view.Max - len(c.conns) {
		w.dial(c, roam.Dial{Server: t.choose(w), Reason: roam.Fill})
	}
	if len(c.conns) < c.view.Max {
		return
	}
	to := t.choose(w)
	if _, most := t.worst(w, c); w.servers[to].kept+1 < most {
		w.dial(c, roam.Dial{Server: to})
	}
}

func (t *twoChooser) choose(w *world) int32 {
	a, b := w.listed[w.random.IntN(len(w.listed))], w.listed[w.random.IntN(len(w.listed))]
	if x, y := w.servers[a], w.servers[b]; !x.alive || y.alive && y.kept < x.kept {
		return b
	}
	return a
}

// worst is the connection to the most loaded server, and that load.
func (t *twoChooser) worst(w *world, c *client) (at, load int) {
	load = math.MinInt
	for i, x := range c.conns {
		if n := w.servers[x.server].kept; n > load {
			at, load = i, n
		}
	}
	return at, load
}

func (t *twoChooser) offered(w *world, c *client, o offer) {
	if len(c.conns) < c.view.Max {
		w.keep(c, o, -1)
		return
	}
	at, most := t.worst(w, c)
	if w.servers[o.server].kept+1 < most {
		w.keep(c, o, at)
	} else {
		w.refuse(c, o.conn)
	}
}

func (t *twoChooser) failed(*world, *client, roam.Dial)         {}
func (t *twoChooser) lost(w *world, _ *client, _ int32)         { t.beat = min(t.beat, w.now) }
func (t *twoChooser) changed(*world, *client, []int32, []int32) {}
