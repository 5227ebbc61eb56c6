package pool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/pool"
	"github.com/callosum-go/rover/roam"
	"github.com/callosum-go/rover/server"
)

// A manner is what a server does with its connections once it has greeted them.
type manner int32

const (
	answers manner = iota
	hangsUp
	hangs
)

// moody runs a slot server that echoes lines, or does not, as mood says.
func (n *network) moody(t testing.TB, at rover.Server, mood *atomic.Int32) {
	l := kit.Must(server.NewListener(n.listen(at.Addr())))(t)
	var tasks sync.WaitGroup
	running, end := context.WithCancel(context.Background())
	tasks.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(running, func() { conn.Close() })
				defer stop()
				if manner(mood.Load()) == hangsUp {
					time.Sleep(20 * time.Millisecond)
					return
				}
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					switch manner(mood.Load()) {
					case hangsUp:
						return
					case answers:
						fmt.Fprintln(conn, lines.Text())
					}
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); end(); tasks.Wait() })
}

// A clinic is a pool over servers of which one is not always well, and clients
// who ask one question after the other.
type clinic struct {
	*pool.Pool
	attempts func() int
	mood     atomic.Int32
	sick     rover.Server
	asked    atomic.Int64
	failed   atomic.Int64
}

// newClinic has so many servers and so many clients. Without interval it is a
// pool of Open.
func newClinic(t *testing.T, servers int, interval time.Duration, opts ...pool.Option) *clinic {
	c := &clinic{}
	n, set := newNetwork(), map[string]rover.Server{}
	for i := range servers {
		at := rover.Server{Host: fmt.Sprint("s", i), Port: 4040}
		set[at.Host] = at
		mood := new(atomic.Int32)
		if i == 0 {
			c.sick, mood = at, &c.mood
		}
		n.moody(t, at, mood)
	}
	options := []rover.Option{rover.WithServers(set), rover.WithDialer(n), rover.WithLogger(kit.Quiet())}
	if interval == 0 {
		c.Pool = kit.Must(pool.Open(context.Background(), append(opts, pool.WithRover(options...))...))(t)
		c.attempts = func() int { return c.Stream().Stats().Attempts }
	} else {
		c.Pool = kit.Must(pool.New(opts...))(t)
		r := kit.Must(rover.New(append(options, rover.WithInterval(interval))...))(t)
		c.Attach(context.Background(), r.Connections())
		kit.Check(t, r.Start(context.Background()))
		t.Cleanup(r.Stop)
		c.attempts = func() int { return r.Stats().Attempts }
	}
	t.Cleanup(c.Close)
	return c
}

// ask asks until ctx ends, so many at once.
func (c *clinic) ask(ctx context.Context, clients int) (wait func()) {
	var asking sync.WaitGroup
	for range clients {
		asking.Go(func() {
			for ctx.Err() == nil {
				conn, err := c.Get(ctx)
				if err != nil {
					return
				}
				c.asked.Add(1)
				if err := question(conn); err != nil {
					c.failed.Add(1)
				}
				time.Sleep(25 * time.Millisecond)
			}
		})
	}
	return asking.Wait
}

func question(conn *pool.Conn) error {
	defer conn.Release()
	conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := io.WriteString(conn, "?\n"); err != nil {
		return err
	}
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err
}

// A server that greets and is of no use costs good connections and requests
// once, and then next to none. When it is well again it is back within a minute.
func TestAServerThatFails(t *testing.T) {
	for _, interval := range []time.Duration{0, 10 * time.Millisecond, time.Second} {
		for name, manner := range map[string]manner{"hangs up": hangsUp, "hangs": hangs} {
			t.Run(fmt.Sprint(name, " ", interval), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newClinic(t, 3, interval, pool.WithMax(10))
					ctx, cancel := context.WithCancel(context.Background())
					wait := c.ask(ctx, 4)
					time.Sleep(60 * time.Second)
					kit.Equal(t, "kept", c.Stats().Kept, 10)
					c.mood.Store(int32(manner))
					time.Sleep(60 * time.Second) // one cycle
					before, attempts := c.Stats(), c.attempts()
					asked, failed := c.asked.Load(), c.failed.Load()
					time.Sleep(2 * time.Minute)
					after := c.Stats()
					cost := after.Replaced - before.Replaced
					tries := c.attempts() - attempts
					asked, failed = c.asked.Load()-asked, c.failed.Load()-failed
					t.Logf("in %d attempts %d good connections replaced; %d of %d questions failed", tries, cost, failed, asked)
					if cost > tries/50 {
						t.Errorf("%d good connections were given up in %d attempts", cost, tries)
					}
					if failed*100 > asked {
						t.Errorf("%d of %d questions failed", failed, asked)
					}
					kit.Equal(t, "kept", after.Kept, 10)
					c.mood.Store(int32(answers))
					time.Sleep(time.Minute)
					if n := c.Stats().Servers[c.sick]; n < 2 {
						t.Errorf("it has %d connections a minute after it was well again: %+v", n, c.Stats())
					}
					cancel()
					wait()
				})
			})
		}
	}
}

// What dies of one restart counts once: the server is back at once.
func TestARestartIsForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClinic(t, 3, 0, pool.WithMax(9))
		time.Sleep(2 * time.Second)
		c.mood.Store(int32(hangsUp)) // for new ones, and one at work
		time.Sleep(100 * time.Millisecond)
		for range 9 {
			if conn, ok := c.TryGet(); ok {
				_ = question(conn)
			}
		}
		c.mood.Store(int32(answers))
		time.Sleep(10 * time.Second)
		kit.Equal(t, "kept", c.Stats().Kept, 9)
		if n := c.Stats().Servers[c.sick]; n < 2 {
			t.Errorf("it has %d", n)
		}
	})
}

// Three failures in a row are the server's, two and one are anybody's.
func TestFail(t *testing.T) {
	p := newPool(t, 10)
	next := watch(t, p)
	bring := func(slot int) bool {
		client, _ := pipe(t)
		return p.Offer(rover.NewConnection("a", somewhere, slot, client))
	}
	for slot := range 4 {
		bring(slot)
	}
	client, other := pipe(t)
	p.Offer(rover.NewConnection("b", rover.Server{Host: "b", Port: 1}, 0, client))
	go io.Copy(other, other)
	boom := errors.New("boom")
	borrow := func(id string) *pool.Conn { return kit.Must(p.ForServer(context.Background(), id))(t) }
	lent := borrow("a")
	for range 2 {
		borrow("a").Fail(boom)
	}
	kit.Equal(t, "kept", p.Stats().Kept, 3)
	last := borrow("a")
	last.Fail(boom)
	last.Fail(boom)
	kit.Check(t, last.Close())
	s := p.Stats()
	kit.Equal(t, "kept: b's, the others are not trusted", s.Kept, 1)
	kit.Equal(t, "failed", s.Causes[pool.Failed], 4)
	kit.Equal(t, "lost", s.Lost, 3)
	<-lent.Replaced()
	lent.Release()
	kit.Equal(t, "offer of a server that failed", bring(9), false)
	for range 30 {
		c := next()
		if c.Kind == pool.Suspended {
			if !errors.Is(c.Cause, boom) || !errors.Is(c.Cause, pool.Failed) || c.Took < 500*time.Millisecond {
				t.Errorf("%v after %v", c.Cause, c.Took)
			}
			return
		}
	}
	t.Error("nobody hears that the server was suspended")
}

// Where most servers fail, the fault is not theirs.
func TestWhereAllFailNoneIsLeftAlone(t *testing.T) {
	p := newPool(t, 4)
	next := watch(t, p)
	keep(t, p, 0, pipe).Close()
	expect(t, next, pool.Kept, pool.Lost, pool.Suspended)
	keep(t, p, 1, pipe).Close()
	expect(t, next, pool.Kept, pool.Lost)
	keep(t, p, 2, pipe)
}

// Many that die at once died of one thing.
func TestManyDeathsAreOneFailure(t *testing.T) {
	p := newPool(t, 5)
	var ends []net.Conn
	for slot := range 5 {
		ends = append(ends, keep(t, p, slot, pipe))
	}
	next := watch(t, p)
	for _, end := range ends {
		end.Close()
	}
	for lost, suspended := 0, 0; lost < 5; {
		switch c := next(); c.Kind {
		case pool.Lost:
			lost++
		case pool.Suspended:
			if suspended++; suspended > 1 || c.Took > time.Second {
				t.Fatalf("suspended for the %d. time, for %v", suspended, c.Took)
			}
		}
	}
}

// One on trial is lent beside Max. It takes its place when it has answered, or
// was alive for long enough; else its server waits longer.
func TestTrial(t *testing.T) {
	for _, end := range []string{"answers", "answers and is said goodbye to", "is left in peace", "dies", "is wanted no more"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, 1)
				bring := func(id string, slot int) (net.Conn, bool) {
					client, server := pipe(t)
					return server, p.Offer(rover.NewConnection(id, rover.Server{Host: id, Port: 1}, slot, client))
				}
				first, _ := bring("sick", 3)
				first.Close()
				synctest.Wait()
				bring("good", 2)
				_, kept := bring("sick", 0)
				kit.Equal(t, "kept while it is left alone", kept, false)
				time.Sleep(time.Second)
				server, kept := bring("sick", 0)
				kit.Equal(t, "on trial", kept, true)
				_, kept = bring("sick", 1)
				kit.Equal(t, "a second one", kept, false)
				s := p.Stats()
				kit.Equal(t, "trials", s.Trials, 1)
				kit.Equal(t, "kept", s.Kept, 1)
				kit.Equal(t, "idle", s.Idle, 1)
				kit.Equal(t, "slot kept", s.Highest, 2)
				switch end {
				case "answers":
					go io.Copy(server, server)
					conn := kit.Must(p.ForServer(t.Context(), "sick"))(t)
					kit.Check(t, question(conn))
					time.Sleep(time.Second)
				case "answers and is said goodbye to": // as PostgreSQL's clients do
					go io.Copy(server, server)
					conn := kit.Must(p.ForServer(t.Context(), "sick"))(t)
					kit.Must(conn.Write([]byte("q")))(t)
					kit.Must(conn.Read(make([]byte, 1)))(t)
					kit.Must(conn.Write([]byte("b")))(t)
					kit.Check(t, conn.Close())
					kit.Equal(t, "trials", p.Stats().Trials, 0)
					_, kept = bring("sick", 1)
					kit.Equal(t, "the next one kept", kept, true)
					kit.Equal(t, "trials", p.Stats().Trials, 0)
					return
				case "is left in peace":
					time.Sleep(6 * time.Second)
				case "dies":
					server.Close()
					synctest.Wait()
					time.Sleep(time.Second)
					_, kept = bring("sick", 0)
					kit.Equal(t, "after the second time", kept, false)
					time.Sleep(time.Second)
					_, kept = bring("sick", 0)
					kit.Equal(t, "later", kept, true)
					return
				case "is wanted no more":
					bring("good", 0)
					time.Sleep(6 * time.Second)
					kit.Equal(t, "slot kept", p.Stats().Highest, 0)
					isClosed(t, server)
					kit.Equal(t, "trials", p.Stats().Trials, 0)
					return
				}
				s = p.Stats()
				kit.Equal(t, "trials", s.Trials, 0)
				kit.Equal(t, "kept", s.Kept, 1)
				kit.Equal(t, "slot kept", s.Highest, 0)
				kit.Equal(t, "replaced", s.Replaced, 1)
			})
		})
	}
}

// Twins are an honest server's mistake, and a third is a liar's.
func TestNoThirdOfTheSameSlot(t *testing.T) {
	p := newPool(t, 4)
	for slot := range 4 {
		keep(t, p, 10+slot, pipe)
	}
	keep(t, p, 0, pipe)
	keep(t, p, 0, pipe)
	if _, kept := offer(t, p, 0, pipe); kept {
		t.Error("a server has given the same slot three times")
	}
	client, _ := pipe(t)
	kit.Equal(t, "another one's", p.Offer(rover.NewConnection("b", somewhere, 0, client)), true)
	kit.Equal(t, "twins", roam.Twins, 2)
}
