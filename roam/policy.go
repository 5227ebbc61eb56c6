package roam

import (
	"context"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/reactivex/rxgo/v2"
)

// A Policy is a [Core] at work for one rover and one pool:
//
//	p, err := roam.New()
//	stream, err := rover.New(rover.WithServers(servers), rover.WithTicks(p.Attempts()))
//	conns, err := pool.New(pool.WithMax(10), pool.WithChoice(p.Choose))
//	p.Learn(ctx, stream.Outcomes(), stream.Sets(), conns.Moves())
//	conns.Attach(ctx, stream.Connections())
//	stream.Start(ctx)
//
// pool.Open does all that. A Policy has one timer, and no goroutine but those of
// Learn. It needs none of its reports: an outcome, a verdict or a change that
// never comes is given up for lost. Its methods are safe for many goroutines.
type Policy struct {
	config   Config
	spread   time.Duration
	interval time.Duration
	random   *rand.Rand
	begun    time.Time

	attempts *hot.Subject // of ticks
	states   *hot.Subject // of State

	// mu guards what follows. A pool asks Choose under its own lock, so the order is
	// the pool's lock, then this one: nothing of a pool is called under it, and
	// nothing is published.
	mu          sync.Mutex
	core        *Core // nil before the first subscriber
	timer       *time.Timer
	subscribers int  // of Attempts
	over        bool // the pool or the rover has ended
	view        View // as the changes say
	replaced    int
	numbers     map[string]int32 // of the servers in the set
	names       map[int32]string
	last        int32
	trips       trips
	ticks       []any // to be published
	published   State // the last one
}

// New makes a policy. An error names the option and what is wrong with its value.
func New(opts ...Option) (*Policy, error) {
	p := &Policy{begun: time.Now(), numbers: make(map[string]int32), names: make(map[int32]string)}
	if err := p.configure(opts); err != nil {
		return nil, err
	}
	p.attempts = hot.NewSubject(hot.WithGrowingQueue())
	p.states = hot.NewSubject(hot.WithLatest(), hot.WithQueue(1))
	return p, nil
}

// Attempts emits a tick for each attempt that is due, as rover.To: it is for
// rover.WithTicks, for one rover at a time, and may be filtered and merged with
// others. The policy acts from when it is subscribed to, and rests when its
// subscriber leaves.
func (p *Policy) Attempts() rxgo.Observable {
	return hot.Create(func(ctx context.Context) iter.Seq[rxgo.Item] {
		items := hot.Items(ctx, p.attempts.Observable())
		p.begin()
		return func(yield func(rxgo.Item) bool) {
			defer p.end()
			for item := range items {
				if !yield(item) {
					return
				}
			}
		}
	}, nil)
}

// Dial attempts a server once more, for reasons of the caller's, besides what is
// due. It does nothing while nobody subscribes to Attempts.
func (p *Policy) Dial(id string) { p.attempts.Publish(rover.To(id)) }

// State emits a [State] whenever it has changed, the latest to a newcomer first.
// One that is slow gets the latest.
func (p *Policy) State() rxgo.Observable { return p.states.Observable() }

func (p *Policy) begin() {
	defer p.flush()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribers++
	if p.core == nil {
		servers := slices.Sorted(maps.Values(p.numbers)) // one random source, one run
		p.core, _ = NewCore(p.config, p.random, p.now(), servers)
		p.timer = time.AfterFunc(time.Hour, p.wake)
	}
	if p.acts() {
		p.dial(p.core.Wake(p.now(), p.view)) // the first one is at once
	}
	p.arm()
}

func (p *Policy) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribers--
	p.arm()
}

func (p *Policy) now() Time { return In(time.Since(p.begun), p.interval) }

// acts says whether anybody makes the attempts.
func (p *Policy) acts() bool { return p.core != nil && p.subscribers > 0 && !p.over }

// arm sets the timer for whatever is next.
func (p *Policy) arm() {
	if p.core == nil {
		return
	}
	if !p.acts() {
		p.timer.Stop()
		return
	}
	now, next := p.now(), min(p.core.Next(), p.trips.next())
	const most = 1000                                                   // intervals: never, as a duration
	p.timer.Reset(max(0, min(next-now, most)).Duration(p.interval) + 1) // not before next, by a rounding
}

// wake is the timer.
func (p *Policy) wake() {
	p.event(func(now Time) {
		p.dial(p.core.Wake(now, p.view))
		for _, t := range p.trips.due(now) {
			p.answer(now, t)
		}
	})
}

// event runs what changes the core, if it acts, and publishes what comes of it.
func (p *Policy) event(do func(now Time)) {
	func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.acts() {
			do(p.now())
			p.arm()
		}
	}()
	p.flush()
}

// dial notes the attempts that the core wants.
func (p *Policy) dial(dials []Dial) {
	for _, d := range dials {
		id, known := p.names[d.Server]
		if !known {
			p.core.Dropped(d)
			continue
		}
		tick := rover.To(id)
		p.trips.add(&trip{dial: d, tick: tick, id: id, until: p.now() + lostDial})
		p.ticks = append(p.ticks, tick)
	}
}

// flush publishes what is due.
func (p *Policy) flush() {
	p.mu.Lock()
	ticks := p.ticks
	p.ticks = nil
	p.mu.Unlock()
	for _, tick := range ticks {
		p.attempts.Publish(tick)
	}
	p.states.Update(func(bool) (any, bool) { // under its lock, for the order
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.core == nil {
			return nil, false
		}
		last := p.core.State(p.view)
		last.Churn = float64(p.replaced) / float64(max(p.view.Max, 1))
		changed := last != p.published
		p.published = last
		return last, changed
	})
}

// Choose is for pool.WithChoice. It takes no longer than a look at the view, and
// calls and publishes nothing. While nobody subscribes to Attempts, so that the
// policy knows nothing, it keeps the lowest slots.
func (p *Policy) Choose(v View, c *rover.Connection) Verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view.Max = v.Max
	if !p.acts() {
		return lowest(v, c)
	}
	now := p.now()
	t := p.trips.offered(c.ID, c.Slot)
	if t == nil { // nobody asked for it, and its outcome has not come
		t = &trip{id: c.ID, slot: c.Slot, until: now + lostDial, dial: Dial{Server: p.number(c.ID)}}
		p.trips.add(t)
	}
	verdict := p.core.Choose(now, v, Offer{ID: c.ID, Slot: c.Slot, Dial: t.dial})
	t.slot, t.chosen, t.verdict = c.Slot, true, verdict
	if t.answered && !verdict.Kept() {
		t.until = now
		p.arm()
	}
	return verdict
}

// lowest keeps what is lower than the worst.
func lowest(v View, c *rover.Connection) Verdict {
	switch {
	case v.Short() > 0:
		return Verdict{Choice: Keep}
	case c.Slot < v.worst() && v.count(c.ID, c.Slot) < Twins:
		return Verdict{Replace, len(v.Kept) - 1}
	}
	return Verdict{}
}
