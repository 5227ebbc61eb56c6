//go:build !plan9

package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/socket"
)

// A crowd is all subscribers of a life's stream. Some of them misbehave.
type crowd struct {
	life     *life
	kept     atomic.Int64
	stop     chan struct{} // asks one callback to call Stop
	released chan struct{} // closed when stuck callbacks may go on
	leave    func()        // asks all to leave
	door     sync.WaitGroup
	guests   sync.WaitGroup
}

func newCrowd(l *life) *crowd {
	return &crowd{life: l, stop: make(chan struct{}, 1), released: make(chan struct{})}
}

// open lets guests in, a few at once and others as time goes by, until ctx ends.
func (c *crowd) open(ctx context.Context, random *rand.Rand) {
	inside, leave := context.WithCancel(context.Background())
	c.leave = leave
	places := make(chan struct{}, 1+random.IntN(30))
	enter := func() {
		select {
		case places <- struct{}{}:
		default:
			return
		}
		g := newGuest(c, inside, random)
		c.guests.Go(func() {
			defer func() { <-places }()
			g.visit()
		})
	}
	for range random.IntN(10) {
		enter()
	}
	c.door.Go(func() {
		for pause(ctx, upTo(random, 10*time.Millisecond)) {
			enter()
		}
	})
}

// stopWithin has the next callback call Stop.
func (c *crowd) stopWithin() { c.stop <- struct{}{} }

// close sees all guests out.
func (c *crowd) close() {
	c.door.Wait()
	close(c.released)
	c.leave()
	c.guests.Wait()
}

// A guest is one subscriber.
type guest struct {
	*crowd
	ctx    context.Context
	cancel func()
	random *rand.Rand
	stays  time.Duration // at the most; 0: to the end
	kind   int

	mu     sync.Mutex // some guests have several callbacks
	pocket []net.Conn
}

func newGuest(c *crowd, ctx context.Context, random *rand.Rand) *guest {
	g := &guest{crowd: c, random: rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.kind = g.random.IntN(len(manners))
	if g.random.IntN(2) == 0 {
		g.stays = upTo(g.random, 50*time.Millisecond)
	}
	return g
}

// visit behaves as the guest does, and leaves nothing behind.
func (g *guest) visit() {
	defer g.cancel()
	if g.stays > 0 {
		leave := time.AfterFunc(g.stays, g.cancel)
		defer leave.Stop()
	}
	manner := manners[g.kind]
	g.life.run.tally.count("guest who " + manner.name)
	manner.act(g)
	for _, conn := range g.pocket {
		socket.Refuse(conn)
	}
}

// notice is what every guest does with every event.
func (g *guest) notice(v any) {
	g.life.run.events.Add(1)
	select {
	case <-g.stop:
		g.life.stream.Stop()
	default:
	}
	if conn, ok := v.(*rover.Connection); ok {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.answer(conn)
	}
}

// answer keeps, declines, both, or forgets.
func (g *guest) answer(c *rover.Connection) {
	switch g.random.IntN(5) {
	case 0, 1:
		g.keep(c)
	case 2:
		kept := g.keep(c)
		switch _, err := c.Keep(); {
		case kept && err != rover.ErrKept:
			g.life.wrong("a second Keep: want ErrKept, got %v", err)
		case !kept && !errors.Is(err, rover.ErrTaken) && !errors.Is(err, rover.ErrExpired):
			g.life.wrong("a second Keep: want ErrTaken or ErrExpired, got %v", err)
		}
		c.Decline()
	case 3:
		c.Decline()
		c.Decline()
	}
}

// keep keeps the connection, uses it a little, and closes it now or later. False: it
// is somebody else's, or over.
func (g *guest) keep(c *rover.Connection) bool {
	conn, err := c.Keep()
	if err != nil {
		if !errors.Is(err, rover.ErrTaken) && !errors.Is(err, rover.ErrExpired) {
			g.life.wrong("Keep: want ErrTaken or ErrExpired, got %w", err)
		}
		return false
	}
	g.kept.Add(1)
	if g.random.IntN(4) == 0 {
		_, _ = conn.Write([]byte("?"))
	}
	if len(g.pocket) < 5 && g.random.IntN(2) == 0 {
		g.pocket = append(g.pocket, conn)
		return true
	}
	socket.Refuse(conn)
	return true
}
